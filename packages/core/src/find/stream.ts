import type { Heads } from './heads.js';
import type { Inquiry } from './inquiry.js';
import { elementCount, movesElements, stridesOf } from './layout.js';
import type { TakenApart } from './operand.js';
import type { ProjectionProduct } from './projection.js';
import { indexed } from './projection.js';

/** Part that an axis of a stream plays. */
export type StreamAxis = 'batch' | 'sequence' | 'channel';

/** A value to project, with what each of its axes is: enough to bring it to `[batch, sequence, channel]`. */
export interface Stream {
  readonly value: string;
  readonly axes: readonly StreamAxis[];
  /** Size of the channel axis. */
  readonly channels: number;
}

/** A candidate: a value with the projection's rows and its channels placed on its axes. */
interface Candidate {
  readonly value: string;
  readonly dims: readonly number[];
  readonly channelAxis: number;
  /** For each row of the projection, the element at channel 0. */
  readonly rowAt: Int32Array;
}

/**
 * Tells batch from sequence axes of what a projection reads, going back through reshapes that only flattened it
 * (`[batch * sequence, channel]` before a `Gemm`).
 *
 * @param tokens - the operand's tokens that come from the projection.
 * @returns `undefined` where no such value has axes of its own for batch and sequence, in matching order.
 */
export function streamOf(
  inquiry: Inquiry,
  projection: ProjectionProduct,
  operand: TakenApart,
  heads: Heads,
  tokens: readonly number[],
): Stream | undefined {
  const dims = inquiry.dims(projection.stream);
  const strides = stridesOf(dims);
  let candidate: Candidate | undefined = {
    value: projection.stream,
    dims,
    channelAxis: projection.channelAxis,
    rowAt: indexed(
      projection.rowDims,
      projection.rowAxes.map((axis) => strides[axis] as number),
    ),
  };
  for (let depth = 0; candidate && depth < 8; depth++) {
    const axes = axesOf(candidate, operand, heads, tokens);
    if (axes) return { value: candidate.value, axes, channels: projection.inputDim };
    candidate = before(inquiry, candidate, projection.inputDim);
  }
  return undefined;
}

function axesOf(
  candidate: Candidate,
  operand: TakenApart,
  heads: Heads,
  tokens: readonly number[],
): StreamAxis[] | undefined {
  // Batch positions of head 0 number the batch; every head must see the same rows there.
  const first = [...heads.ofBatch.keys()].filter((b) => heads.ofBatch[b] === 0);
  const batchCount = first.length;
  const tokenCount = tokens.length;
  const strides = stridesOf(candidate.dims);
  const rowAt = (position: number, token: number) =>
    candidate.rowAt[operand.rows[position * operand.tokenCount + (tokens[token] as number)] as number] as number;
  const rowOf = (batch: number, token: number) => rowAt(first[batch] as number, token);
  const partOf = (at: number, axis: number) =>
    Math.floor(at / (strides[axis] as number)) % (candidate.dims[axis] as number);
  const moves = (axis: number, along: 'batch' | 'token') => {
    const origin = partOf(rowOf(0, 0), axis);
    const count = along === 'batch' ? batchCount : tokenCount;
    for (let i = 0; i < count; i++) {
      if (partOf(along === 'batch' ? rowOf(i, 0) : rowOf(0, i), axis) !== origin) return true;
    }
    return false;
  };
  const axes: StreamAxis[] = [];
  for (let axis = 0; axis < candidate.dims.length; axis++) {
    const byBatch = moves(axis, 'batch');
    const byToken = moves(axis, 'token');
    if (axis === candidate.channelAxis) axes.push('channel');
    else if (byBatch && byToken) return undefined;
    else axes.push(byBatch ? 'batch' : 'sequence');
  }
  // The parts must number batch and tokens row by row, and together reach every row.
  const inOrder = (kind: StreamAxis) => axes.flatMap((axis, at) => (axis === kind ? [at] : []));
  const numberOf = (at: number, kind: StreamAxis) =>
    inOrder(kind).reduce((number, axis) => number * (candidate.dims[axis] as number) + partOf(at, axis), 0);
  const seen = new Int32Array(heads.numHeads);
  for (const [b, head] of heads.ofBatch.entries()) {
    const batch = seen[head] as number;
    seen[head] = batch + 1;
    for (let t = 0; t < tokenCount; t++) {
      const at = rowAt(b, t);
      if (numberOf(at, 'batch') !== batch || numberOf(at, 'sequence') !== t) return undefined;
    }
  }
  const size = (kind: StreamAxis) => elementCount(inOrder(kind).map((axis) => candidate.dims[axis] as number));
  return size('batch') === batchCount && size('sequence') === tokenCount ? axes : undefined;
}

/** The value that a candidate is only another layout of, if its channels stay one axis. */
function before(inquiry: Inquiry, candidate: Candidate, inputDim: number): Candidate | undefined {
  const node = inquiry.producer(candidate.value);
  if (!node || !movesElements(node)) return undefined;
  const value = node.inputs[0] as string;
  const dims = inquiry.dims(value);
  const source = inquiry.layout(node, candidate.value).source();
  const step = stridesOf(candidate.dims)[candidate.channelAxis] as number;
  const rowAt = candidate.rowAt.map((at) => source[at] as number);
  const strides = stridesOf(dims);
  const stride = inputDim > 1 ? (source[step] as number) - (source[0] as number) : undefined;
  const channelAxis = dims.findIndex((dim, axis) => dim === inputDim && strides[axis] === stride);
  if (channelAxis < 0) return undefined;
  for (const [row, at] of candidate.rowAt.entries()) {
    for (let c = 0; c < inputDim; c++) {
      if (source[at + c * step] !== (rowAt[row] as number) + c * (strides[channelAxis] as number)) return undefined;
    }
  }
  return { value, dims, channelAxis, rowAt };
}
