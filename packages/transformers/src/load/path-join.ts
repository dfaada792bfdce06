/** Parts of a path or address with one `/` between them, as the library joins them. */
export function pathJoin(...parts: readonly string[]): string {
  return parts
    .map((part, i) => {
      const start = i > 0 ? part.replace(/^\//, '') : part;
      return i < parts.length - 1 ? start.replace(/\/$/, '') : start;
    })
    .join('/');
}
