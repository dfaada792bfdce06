import type { ByteRange } from '../tensor/external-range.js';
import type { EncodedMessage } from './encode-message.js';
import type { NodeModules } from './node-modules.js';
import type { ExternalDataPlan } from './plan-external-data.js';

/** Bytes in one call to the system: a large tensor passes through in parts, many small pieces go together. */
const BLOCK = 2 ** 20;

/** The content of a data file in order, read as it is asked for. */
export function* dataPieces(plan: Pick<ExternalDataPlan, 'ranges'>): Generator<Uint8Array> {
  let end = 0;
  for (const { at, ...range } of plan.ranges) {
    if (at > end) yield new Uint8Array(at - end);
    yield* inParts(range);
    end = at + range.length;
  }
}

/** The content of a message in order, read as it is asked for. */
export function* messagePieces({ pieces }: EncodedMessage): Generator<Uint8Array> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) yield piece;
    else yield* inParts(piece);
  }
}

function* inParts({ source, offset, length }: ByteRange): Generator<Uint8Array> {
  for (let done = 0; done < length; done += BLOCK) {
    yield source.read(offset + done, Math.min(BLOCK, length - done));
  }
}

/**
 * Writes a new file.
 *
 * @param node - Node's modules.
 * @param file - its path; nothing may be there.
 * @param pieces - its content, in order.
 * @param advance - called after each block with its number of bytes; what it throws stops the writing.
 */
export async function writePieces(
  node: NodeModules,
  file: string,
  pieces: Iterable<Uint8Array>,
  advance: (bytes: number) => void,
): Promise<void> {
  const handle = await node.fs.promises.open(file, 'wx');
  try {
    for (const block of inBlocks(pieces)) {
      for (let done = 0; done < block.byteLength; ) done += (await handle.write(block, done)).bytesWritten;
      advance(block.byteLength);
    }
  } finally {
    await handle.close();
  }
}

/** The same bytes in blocks of at most {@link BLOCK}; small pieces are copied together, large ones only cut. */
function* inBlocks(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  const block = new Uint8Array(BLOCK);
  let filled = 0;
  for (const piece of pieces) {
    const isLarge = piece.byteLength > BLOCK / 2;
    if (filled > 0 && (isLarge || filled + piece.byteLength > BLOCK)) {
      yield block.subarray(0, filled);
      filled = 0;
    }
    if (isLarge) {
      for (let at = 0; at < piece.byteLength; at += BLOCK) yield piece.subarray(at, at + BLOCK);
    } else {
      block.set(piece, filled);
      filled += piece.byteLength;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
