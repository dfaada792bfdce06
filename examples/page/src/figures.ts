/** Numbers as a page shows them. */
export function count(value: number | bigint): string {
  return value.toLocaleString('en');
}

/** Millions of bytes with two digits. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
