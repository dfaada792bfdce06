import type { HeadSteps } from '../attention/head-steps.js';
import { applyPerHead, repeatHeads } from '../attention/heads.js';
import type { AttentionBlock, BlockProjection } from '../find/block.js';
import type { BlockCache, CacheAxis } from '../find/block-cache.js';
import type { HeadNorm } from '../find/head-norm.js';
import type { HeadRotation, TurnFactor } from '../find/head-rotation.js';
import type { Matrix } from '../float64/matrix.js';
import type { BlockWriter } from './canonical-block.js';
import { inOrder } from './in-order.js';
import { mergeLeading } from './merged-axes.js';

const CANONICAL: readonly CacheAxis[] = ['batch', 'head', 'sequence', 'feature'];

/** What a block does to its heads before the products, written anew: rotations by position and joins to its caches. */
export function headSteps<T>(writer: BlockWriter<T>, block: AttentionBlock): HeadSteps<T> {
  const prepared = (part: BlockProjection, size: number) => (tensor: T) => {
    const normed = part.norm ? normalise(writer, tensor, part.norm, part.heads.groups, size) : tensor;
    const turned = part.rotation ? rotate(writer, normed, part.rotation, size) : normed;
    return part.cache ? join(writer, turned, part.cache) : turned;
  };
  const needed = ({ norm, rotation, cache }: BlockProjection) => norm !== null || rotation !== null || cache !== null;
  const { query, key, value, headDim, valueHeadDim, numHeads } = block;
  return {
    ...(needed(query) && { query: prepared(query, headDim) }),
    ...(needed(key) && { key: prepared(key, headDim) }),
    ...(needed(value) && { value: prepared(value, valueHeadDim) }),
    spread: (part, heads) => {
      for (const { value: name, permutation, headsAsked } of block[part].restated) {
        const merged = block.axes?.merged ?? null;
        const made = headsAsked ? repeatHeads(writer.port, heads, numHeads) : heads;
        // A node of its own: the products go on reading the heads by their own name.
        const isInOrder = permutation.every((axis, i) => axis === i);
        const { port } = writer;
        if (merged !== null) {
          const ordered = merged === 'head' ? made.tensor : port.transpose(made.tensor, [1, 0, 2, 3]);
          writer.put(port.transpose(mergeLeading(port, ordered), permutation), name);
          continue;
        }
        const copy = isInOrder ? port.reshape(made.tensor, [0, 0, 0, 0]) : port.transpose(made.tensor, permutation);
        writer.put(copy, name);
      }
    },
  };
}

/** Normalises the features of `[batch, groups, length, size]`, one head of each group telling what follows. */
function normalise<T>(
  writer: BlockWriter<T>,
  heads: T,
  { over, epsilon, centred, gain, offset }: HeadNorm,
  groups: readonly number[],
  size: number,
): T {
  const { port } = writer;
  const axes = over === 'head' ? [3] : [1, 3];
  const centre = centred ? port.sub(heads, port.mean(heads, axes)) : heads;
  const byPort = () => {
    const squares = port.mean(port.mul(centre, centre), axes);
    return port.sqrt(port.add(squares, port.constant(Float64Array.of(epsilon), [])));
  };
  const root = writer.rootMeanSquare?.(centre, axes, epsilon) ?? byPort();
  const normed = port.div(centre, root);
  const firsts = groups.flatMap((group, head) => (groups.indexOf(group) === head ? [head] : []));
  const ofGroups = (vectors: Float64Array): Matrix => {
    const data = Float64Array.from({ length: firsts.length * size }, (_, at) => {
      return vectors[(firsts[Math.floor(at / size)] as number) * size + (at % size)] as number;
    });
    return { rows: firsts.length, cols: size, data };
  };
  const scaled = applyPerHead(port, { tensor: normed, count: firsts.length }, 'mul', ofGroups(gain));
  return applyPerHead(port, scaled, 'add', ofGroups(offset)).tensor;
}

/** Turns the features of `[batch, heads, length, size]` by position: `x cos + other(x) sin`. */
function rotate<T>(
  writer: BlockWriter<T>,
  heads: T,
  { features, partners, signs, cos, sin }: HeadRotation,
  size: number,
): T {
  const { port } = writer;
  const rest = Array.from({ length: size }, (_, f) => f).filter((f) => !features.includes(f));
  const isWhole = features.every((f, i) => f === i) && rest.length === 0;
  const own = isWhole ? heads : port.gather(heads, features, 3);
  const other = port.gather(own, partners, 3);
  const signed = port.mul(turnFactor(writer, sin), port.constant(Float64Array.from(signs), [signs.length]));
  const turned = port.add(port.mul(own, turnFactor(writer, cos)), port.mul(other, signed));
  if (rest.length === 0 && isWhole) return turned;
  const order = [...features, ...rest];
  const joined = rest.length === 0 ? turned : port.concat([turned, port.gather(heads, rest, 3)], 3);
  const back = Array.from({ length: size }, (_, f) => order.indexOf(f));
  return back.every((from, f) => from === f) ? joined : port.gather(joined, back, 3);
}

/** Cosines or sines as `[batch or 1, 1, length, features]`, or fewer axes that broadcast to that. */
function turnFactor<T>(writer: BlockWriter<T>, { value, axes, places }: TurnFactor): T {
  const { port } = writer;
  const units = axes.flatMap((kind, axis) => (kind === 'one' ? [axis] : []));
  const batch = axes.indexOf('batch');
  const lead = [...(batch < 0 ? [] : [batch]), ...units];
  const last = [axes.indexOf('sequence'), axes.indexOf('feature')];
  let tensor = inOrder(port, writer.value(value, axes), [...lead.slice(0, 2), ...last, ...lead.slice(2)]);
  let rank = axes.length;
  if (rank > 4) {
    // Axes of size 1 beyond the four are merged into the features.
    tensor = port.reshape(tensor, [0, 0, 0, -1]);
    rank = 4;
  }
  if (batch >= 0 && units.length === 0) {
    tensor = port.unsqueeze(tensor, [1]);
    rank = 4;
  }
  return places.every((place, f) => place === f) ? tensor : port.gather(tensor, places, rank - 1);
}

/** Joins new keys or values to the earlier ones, if there are any, under the name that the graph has for all of them. */
function join<T>(writer: BlockWriter<T>, heads: T, { past, joined, axes, pastFirst }: BlockCache): T {
  const { port } = writer;
  const added = inOrder(
    port,
    heads,
    axes.map((kind) => CANONICAL.indexOf(kind)),
  );
  if (past === null) {
    writer.put(added, joined);
  } else {
    const earlier = writer.value(past, axes);
    const parts = pastFirst ? [earlier, added] : [added, earlier];
    writer.put(port.concat(parts, axes.indexOf('sequence')), joined);
  }
  return inOrder(
    port,
    writer.value(joined, axes),
    CANONICAL.map((kind) => axes.indexOf(kind)),
  );
}
