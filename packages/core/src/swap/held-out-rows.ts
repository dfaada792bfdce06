/** Parts of the calibration inputs that are held out in turn while an output is refitted. */
const PARTS = 2;

/** Some rows of one calibration input. */
export interface HeldOutRows {
  readonly part: number;
  readonly start: number;
  readonly end: number;
}

/**
 * To which part the rows of a calibration input belong: every other input to the same; of an only one, which may be a
 * batch of sequences, the first half and the second.
 *
 * @param input - its number, from 0.
 * @param inputs - how many there are.
 * @param rows - of this one.
 */
export function heldOutRows(input: number, inputs: number, rows: number): readonly HeldOutRows[] {
  if (inputs > 1) return [{ part: input % PARTS, start: 0, end: rows }];
  const half = Math.floor(rows / PARTS);
  const halves = [
    { part: 0, start: 0, end: half },
    { part: 1, start: half, end: rows },
  ];
  return halves.filter(({ start, end }) => end > start);
}
