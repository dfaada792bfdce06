import { closeSync, openSync, readSync } from 'node:fs';

const lineFeed = 10;

/** A line past this is no calibration input but another kind of file. */
const maxLineBytes = 2 ** 28;

/**
 * The lines of a text file, one at a time, however large the file is.
 *
 * @throws Error where a line is longer than 256 MiB.
 */
export function* readLines(path: string): Generator<string> {
  const file = openSync(path, 'r');
  try {
    let chunk = Buffer.allocUnsafe(2 ** 16);
    let held: Buffer[] = [];
    let heldBytes = 0;
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
      let start = 0;
      for (let end = chunk.indexOf(lineFeed); end !== -1 && end < length; end = chunk.indexOf(lineFeed, start)) {
        yield Buffer.concat([...held, chunk.subarray(start, end)]).toString();
        held = [];
        heldBytes = 0;
        start = end + 1;
      }
      held.push(chunk.subarray(start, length));
      heldBytes += length - start;
      if (heldBytes > maxLineBytes) throw new Error(`${path} has a line longer than 256 MiB`);
      // The part held is a view of this chunk.
      chunk = Buffer.allocUnsafe(2 ** 16);
    }
    if (heldBytes > 0) yield Buffer.concat(held).toString();
  } finally {
    closeSync(file);
  }
}
