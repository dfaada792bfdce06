import { printTable } from '@mhe/example-terminal/table';
import type { Reading } from '../reading.js';

/** Some lines: every text that was read, and by which models. Those that read the same share a row. */
export function printReadings(title: string, lines: readonly number[], readings: readonly Reading[]): void {
  const rows = lines.flatMap((line, position) => {
    const texts = [...new Set(readings.map(({ texts }) => texts[line] ?? ''))];
    return texts.map((text, row) => {
      const names = readings.filter(({ texts }) => texts[line] === text).map(({ name }) => name);
      return [row === 0 ? String(position + 1) : '', text, names.join(', ')];
    });
  });
  printTable(title, ['', 'text', 'read so by'], rows, 'text');
}
