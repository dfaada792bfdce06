import Table from 'cli-table3';

/** A column's heading and which way its cells lean: text to the left, numbers to the right. */
export interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
}

export const text = (head: string): Column => ({ head, align: 'left' });
export const number = (head: string): Column => ({ head, align: 'right' });

/** Lays out rows under headings, without borders; `paintHead` colours a heading. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paintHead: (head: string) => string,
): string {
  const table = new Table({
    head: columns.map((column) => paintHead(column.head)),
    colAligns: columns.map((column) => column.align),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
