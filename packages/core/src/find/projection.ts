import type { Matrix } from '../float64/matrix.js';
import { contractionOf, isProduct } from './contraction.js';
import type { Inquiry } from './inquiry.js';
import { elementCount, strided, stridesOf } from './layout.js';
import { Refusal } from './refusal.js';
import type { ViewNode } from './view.js';

/** A product of a stream with a constant weight, before anything that follows it. */
export interface ProjectionProduct {
  readonly node: ViewNode;
  readonly stream: string;
  readonly weight: string;
  /** Axis of the stream that is summed over. */
  readonly channelAxis: number;
  /** The stream's other axes, in order, with their sizes: together they number the rows. */
  readonly rowAxes: readonly number[];
  readonly rowDims: readonly number[];
  readonly rowCount: number;
  readonly inputDim: number;
  readonly columnCount: number;
  /** Axes of the result that hold columns. */
  readonly columnAxes: readonly number[];
  /** The weight's axis that is summed over, and those that hold columns. */
  readonly weightChannelAxis: number;
  readonly weightColumnAxes: readonly number[];
  readonly weightDims: readonly number[];
  readonly outDims: readonly number[];
  /** Row and column of every element of the result. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
}

/** Reads a node as a projection; `undefined` where neither or both operands are constant, or more than one axis is summed. */
export function projectionOf(inquiry: Inquiry, node: ViewNode): ProjectionProduct | undefined {
  if (!isProduct(node.operator)) return undefined;
  const [a = '', b = ''] = node.inputs;
  if (inquiry.isFixed(a) === inquiry.isFixed(b)) return undefined;
  const weightFirst = inquiry.isFixed(a);
  const [stream, weight] = weightFirst ? [b, a] : [a, b];
  const streamDims = inquiry.dims(stream);
  const weightDims = inquiry.dims(weight);
  const labels = weightFirst
    ? contractionOf(node.operator, weightDims.length, streamDims.length)
    : contractionOf(node.operator, streamDims.length, weightDims.length);
  if (!labels) return undefined;
  const streamLabels = weightFirst ? labels.b : labels.a;
  const weightLabels = weightFirst ? labels.a : labels.b;
  // A weight of leading ones multiplies like one without; a real batch of weights is no projection.
  const isShared = (label: string) => weightDims[weightLabels.indexOf(label)] !== 1;
  const summed = streamLabels.filter((label) => weightLabels.includes(label) && !labels.out.includes(label));
  const batch = streamLabels.filter((label) => weightLabels.includes(label) && labels.out.includes(label));
  if (summed.length !== 1 || batch.some(isShared)) return undefined;
  const channelAxis = streamLabels.indexOf(summed[0] as string);
  const columnLabels = weightLabels.filter((label) => labels.out.includes(label) && !streamLabels.includes(label));
  const rowAxes = streamDims.map((_, axis) => axis).filter((axis) => axis !== channelAxis);
  const rowDims = rowAxes.map((axis) => streamDims[axis] as number);
  const columnDims = columnLabels.map((label) => weightDims[weightLabels.indexOf(label)] as number);

  const outDims = inquiry.dims(node.outputs[0] ?? '');
  const rowStrides = stridesOf(rowDims);
  const columnStrides = stridesOf(columnDims);
  const rowStep = labels.out.map((label) => {
    const at = rowAxes.indexOf(streamLabels.indexOf(label));
    return at < 0 ? 0 : (rowStrides[at] as number);
  });
  const columnStep = labels.out.map((label) => columnStrides[columnLabels.indexOf(label)] ?? 0);
  return {
    node,
    stream,
    weight,
    channelAxis,
    rowAxes,
    rowDims,
    rowCount: elementCount(rowDims),
    inputDim: streamDims[channelAxis] as number,
    columnCount: elementCount(columnDims),
    columnAxes: labels.out.flatMap((label, axis) => (columnLabels.includes(label) ? [axis] : [])),
    weightChannelAxis: weightLabels.indexOf(summed[0] as string),
    weightColumnAxes: columnLabels.map((label) => weightLabels.indexOf(label)),
    weightDims,
    outDims,
    rows: indexed(outDims, rowStep),
    columns: indexed(outDims, columnStep),
  };
}

/** The weight as `[inputDim, columnCount]`. */
export function weightMatrix(inquiry: Inquiry, projection: ProjectionProduct): Matrix {
  const { node, weight, inputDim, columnCount, weightDims, weightChannelAxis, weightColumnAxes } = projection;
  const numbers = inquiry.constant(weight);
  if (!numbers) throw new Refusal(`the weight "${weight}" cannot be read`, [node.source]);
  const columnStrides = stridesOf(weightColumnAxes.map((axis) => weightDims[axis] as number));
  const rows = indexed(
    weightDims,
    weightDims.map((_, axis) => (axis === weightChannelAxis ? 1 : 0)),
  );
  const columns = indexed(
    weightDims,
    weightDims.map((_, axis) => columnStrides[weightColumnAxes.indexOf(axis)] ?? 0),
  );
  const data = new Float64Array(inputDim * columnCount);
  for (let i = 0; i < numbers.length; i++) {
    data[(rows[i] as number) * columnCount + (columns[i] as number)] = numbers[i] as number;
  }
  return { rows: inputDim, cols: columnCount, data };
}

/** For every element of `dims`, the sum of its index times a step per axis. */
export function indexed(dims: readonly number[], steps: readonly number[]): Int32Array {
  return strided(dims, steps).source();
}
