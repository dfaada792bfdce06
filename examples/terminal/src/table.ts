import Table from 'cli-table3';

/** Prints rows under headings. The first column leans left; the others too where they hold text. */
export function printTable(
  title: string,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  cells: 'numbers' | 'text' = 'numbers',
): void {
  const table = new Table({
    head: [...headings],
    colAligns: headings.map((_, column) => (column === 0 || cells === 'text' ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  console.log(`\n${title}\n${table.toString()}`);
}
