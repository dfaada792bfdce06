const grouped = new Intl.NumberFormat('en-US');

/** `28,311,552`. */
export function formatCount(value: number | bigint): string {
  return grouped.format(value);
}

/** `113.2 MB`: decimal units, as download sizes are given. */
export function formatBytes(value: number | bigint): string {
  return withPrefix(Number(value), ['B', 'kB', 'MB', 'GB', 'TB', 'PB']);
}

/** `1.21 G`, for operations. */
export function formatOperations(value: number | bigint): string {
  return withPrefix(Number(value), ['', 'k', 'M', 'G', 'T', 'P']);
}

function withPrefix(value: number, units: readonly string[]): string {
  let unit = 0;
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const number = unit === 0 ? grouped.format(value) : value.toPrecision(3);
  return `${number} ${units[unit]}`.trimEnd();
}

/** A share as per cent: `12.5 %`, `0.10 %`, and below a ten-thousandth `2.1e-6`. */
export function formatShare(share: number): string {
  if (share === 0) return '0 %';
  if (Math.abs(share) < 1e-4) return share.toExponential(1);
  return `${(share * 100).toFixed(Math.abs(share) < 0.01 ? 2 : 1)} %`;
}

/** A difference in whatever unit: `0`, `3.2e-7`, `0.0234`. */
export function formatDifference(value: number): string {
  if (value === 0) return '0';
  return Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toPrecision(3);
}

/** The change from `before` to `after`: `-50.0 %`. */
export function formatChange({ before, after }: { readonly before: number; readonly after: number }): string {
  if (before === after) return 'same';
  if (before === 0) return 'new';
  const change = (100 * (after - before)) / before;
  return `${change > 0 ? '+' : ''}${change.toFixed(1)} %`;
}
