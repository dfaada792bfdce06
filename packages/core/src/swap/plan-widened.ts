import type { FoldedMheWeights } from '../attention/weights.js';
import type { AttentionBlock, BlockProjection } from '../find/block.js';
import type { ProjectionProduct } from '../find/projection.js';
import type { Matrix } from '../float64/matrix.js';
import { widenedObstacle } from './form-obstacles.js';

/** Numbers row-major with their dimensions. */
export interface WidenedConstant {
  readonly data: Float64Array;
  readonly dims: readonly number[];
}

/** How one of the block's projections is computed narrow and spread; what changes nothing is `null`. */
export interface WidenedProjection {
  readonly projection: ProjectionProduct;
  /** The shared projections' weights side by side, in the layout of the projection's own. */
  readonly weight: WidenedConstant;
  /** Added to the narrow product. */
  readonly sharedBias: WidenedConstant | null;
  /** For each column of the original projection, the narrow column it is a copy of. */
  readonly pick: readonly number[] | null;
  /** The axis of these columns. */
  readonly columnAxis: number;
  /** Multiplies the spread columns. */
  readonly gain: WidenedConstant | null;
  /** Added to them after that. */
  readonly bias: WidenedConstant | null;
}

/**
 * Plans the widened form, for a block whose heads are no axis of their own: the shared projections are computed narrow,
 * spread to the width and the column order of the original projection, and go the original's way through its reshapes.
 *
 * @returns one entry for each of the model's projections: one where it is packed, up to three.
 * @throws TypeError where the block cannot take the form; see {@link widenedObstacle}.
 */
export function planWidened(block: AttentionBlock, weights: FoldedMheWeights): readonly WidenedProjection[] {
  const obstacle = widenedObstacle(block);
  if (obstacle !== null) throw new TypeError(`${block.chain.softmax.source}: ${obstacle}`);
  const { queryKey, value } = weights.groups;
  const plain = { gain: null, bias: null };
  const parts: readonly WidenedPart[] = [
    { part: block.query, shared: weights.query, groups: queryKey, gain: weights.queryGain, bias: weights.queryBias },
    { part: block.key, shared: weights.key, groups: queryKey, ...plain },
    { part: block.value, shared: weights.value, groups: value, ...plain },
  ];
  const products = new Set(parts.map(({ part }) => part.traced.projection.node));
  return [...products].map((node) => {
    const members = parts.filter(({ part }) => part.traced.projection.node === node);
    return planProjection(members, weights.numHeads);
  });
}

/** Queries, keys or values: what they are made of. */
interface WidenedPart {
  readonly part: BlockProjection;
  readonly shared: FoldedMheWeights['query'];
  readonly groups: readonly number[];
  readonly gain: Matrix | null;
  readonly bias: Matrix | null;
}

function planProjection(members: readonly WidenedPart[], numHeads: number): WidenedProjection {
  const { projection } = (members[0] as WidenedPart).part.traced;
  const { columnCount } = projection;
  const columnAxis = projection.columnAxes[0] as number;
  const pick = new Array<number>(columnCount).fill(0);
  const gains = new Float64Array(columnCount).fill(1);
  const biases = new Float64Array(columnCount);
  let narrow = 0;
  for (const { part, shared, groups, gain, bias } of members) {
    const width = part.heads.columns.length / numHeads;
    part.heads.columns.forEach((column, at) => {
      const head = Math.floor(at / width);
      pick[column] = narrow + (groups[head] as number) * width + (at % width);
      gains[column] = gain?.data[at] ?? 1;
      biases[column] = bias?.data[at] ?? 0;
    });
    narrow += shared.weight.cols;
  }
  // Along the columns, whatever axes follow them.
  const tail = new Array<number>(projection.outDims.length - columnAxis - 1).fill(1);
  const along = (data: Float64Array, neutral: number): WidenedConstant | null =>
    data.every((x) => x === neutral) ? null : { data, dims: [data.length, ...tail] };
  const sharedBias = members.flatMap(({ shared }) => [...(shared.bias ?? new Float64Array(shared.weight.cols))]);
  const isInOrder = narrow === columnCount && pick.every((from, at) => from === at);
  return {
    projection,
    weight: narrowWeight(
      projection,
      members.map(({ shared }) => shared.weight),
      narrow,
    ),
    sharedBias: along(Float64Array.from(sharedBias), 0),
    pick: isInOrder ? null : pick,
    columnAxis,
    gain: along(gains, 1),
    bias: along(biases, 0),
  };
}

/** Matrices `[inputDim, cols]` side by side, as the model's own weight lies. */
function narrowWeight(projection: ProjectionProduct, shared: readonly Matrix[], narrow: number): WidenedConstant {
  const columnAxis = projection.weightColumnAxes[0] as number;
  const dims = projection.weightDims.map((dim, axis) => (axis === columnAxis ? narrow : dim));
  const data = new Float64Array(narrow * projection.inputDim);
  const isChannelFirst = projection.weightChannelAxis < columnAxis;
  let start = 0;
  for (const { rows, cols, data: from } of shared) {
    for (let row = 0; row < rows; row++) {
      for (let col = 0; col < cols; col++) {
        const at = isChannelFirst ? row * narrow + start + col : (start + col) * rows + row;
        data[at] = from[row * cols + col] as number;
      }
    }
    start += cols;
  }
  return { data, dims };
}
