import { contractionOf, isProduct } from './contraction.js';
import { broadcastSource } from './evaluate.js';
import type { Inquiry } from './inquiry.js';
import { quoted, sources } from './inquiry.js';
import { movesElements, stridesOf } from './layout.js';
import { indexed } from './projection.js';
import { Refusal } from './refusal.js';
import type { ViewNode } from './view.js';

/** The product of all heads' outputs with a constant weight, and the bias after it. */
export interface OutputProjection {
  readonly product: ViewNode;
  /** Nodes between the values' product and this one. */
  readonly layout: readonly ViewNode[];
  /** Whether something asks for the size of the heads' outputs as the values' product makes them. */
  readonly contextRead: boolean;
  readonly weight: string;
  readonly weightDims: readonly number[];
  readonly bias: { readonly node: ViewNode; readonly value: string; readonly dims: readonly number[] } | null;
  /** What leaves the block. */
  readonly output: string;
  /** The heads' outputs as the projection reads them: axes of its rows and of its features, in the weight's order. */
  readonly operand: {
    readonly value: string;
    readonly rowAxes: readonly number[];
    readonly featureAxes: readonly number[];
  };
  /** `head * valueHeadDim + feature` of each feature of the operand. */
  readonly features: Int32Array;
  /** Axes of the output's rows, in the operand's order, and of its columns. */
  readonly outputAxes: { readonly rowAxes: readonly number[]; readonly columnAxes: readonly number[] };
  /** Where each element of the weight, row-major, belongs. Made anew each time: it is as large as the weight. */
  readonly elements: () => {
    /** `head * valueHeadDim + feature`. */
    readonly rows: Int32Array;
    readonly columns: Int32Array;
  };
  readonly outputDim: number;
  /** `[outputDim]`, read from the bias; `null` without one. */
  readonly readBias: () => Float64Array | null;
}

/**
 * Follows the heads' outputs to the output projection.
 *
 * @param codes - for each element of the values' product: `head * valueHeadDim + feature`.
 */
export function outputProjection(
  inquiry: Inquiry,
  context: string,
  dims: readonly number[],
  codes: Int32Array,
  width: number,
): OutputProjection {
  const layout: ViewNode[] = [];
  let at = context;
  for (;;) {
    if (inquiry.isOutput(at)) throw new Refusal(`the heads' outputs ${quoted(at)} are an output of the graph`);
    const readers = inquiry.readers(at);
    if (readers.length !== 1) {
      throw new Refusal(
        readers.length === 0 ? 'nothing reads its heads' : "several operators read its heads' outputs",
        sources(...readers),
      );
    }
    const node = readers[0] as ViewNode;
    if (isProduct(node.operator)) {
      const contextRead = inquiry.consumers(context).length > 1;
      return projected(inquiry, node, at, dims, codes, width, layout, contextRead);
    }
    const passes = node.operator.kind === 'cast' && node.operator.to === 'float';
    if ((!movesElements(node) && !passes) || layout.length > 16) {
      throw new Refusal(`its heads' outputs pass through ${node.source} before any projection`, sources(node));
    }
    const output = node.outputs[0] as string;
    if (movesElements(node)) {
      const moved = inquiry.layout(node, output);
      const from = codes;
      codes = moved.source().map((index) => from[index] as number);
      dims = moved.dims;
    }
    layout.push(node);
    at = output;
  }
}

function projected(
  inquiry: Inquiry,
  node: ViewNode,
  stream: string,
  dims: readonly number[],
  codes: Int32Array,
  width: number,
  layout: readonly ViewNode[],
  contextRead: boolean,
): OutputProjection {
  const weight = node.inputs.find((input) => input !== stream);
  if (weight === undefined || !inquiry.isFixed(weight)) {
    throw new Refusal("its heads' outputs are not projected by a constant weight", sources(node));
  }
  const weightDims = inquiry.dims(weight);
  const streamFirst = node.inputs[0] === stream;
  const labels = streamFirst
    ? contractionOf(node.operator, dims.length, weightDims.length)
    : contractionOf(node.operator, weightDims.length, dims.length);
  if (!labels) throw new Refusal(`the product ${node.source} cannot be read`, sources(node));
  const own = streamFirst ? labels.a : labels.b;
  const theirs = streamFirst ? labels.b : labels.a;
  const summed = theirs.filter((label) => own.includes(label) && !labels.out.includes(label));
  if (theirs.some((label, axis) => own.includes(label) && labels.out.includes(label) && weightDims[axis] !== 1)) {
    throw new Refusal('its output projection differs by position', sources(node));
  }
  const size = (label: string) => dims[own.indexOf(label)] as number;
  // Row of the weight, in its own order of summed axes, for every element of the stream.
  const strides = stridesOf(summed.map(size));
  const inner = indexed(
    dims,
    own.map((label) => strides[summed.indexOf(label)] ?? 0),
  );
  const rowOf = new Int32Array(summed.reduce((count, label) => count * size(label), 1)).fill(-1);
  for (const [element, at] of inner.entries()) {
    const code = codes[element] as number;
    if (rowOf[at] === -1) rowOf[at] = code;
    else if (rowOf[at] !== code) throw new Refusal("its heads' outputs are not in one order", sources(node));
  }
  if (rowOf.length !== width || new Set(rowOf).size !== width) {
    throw new Refusal("its output projection does not read every head's output once", sources(node));
  }
  const columnLabels = theirs.filter((label) => labels.out.includes(label) && !own.includes(label));
  const columnDims = columnLabels.map((label) => weightDims[theirs.indexOf(label)] as number);
  const rowLabels = own.filter((label) => labels.out.includes(label));
  const columnStrides = stridesOf(columnDims);
  const outputDim = columnDims.reduce((count, dim) => count * dim, 1);
  const inWeight = (steps: readonly number[], labelled: readonly string[]) =>
    indexed(
      weightDims,
      theirs.map((label) => steps[labelled.indexOf(label)] ?? 0),
    );
  const out = node.outputs[0] as string;
  const columnOf = indexed(
    inquiry.dims(out),
    labels.out.map((label) => columnStrides[columnLabels.indexOf(label)] ?? 0),
  );
  const bias = biasAfter(inquiry, out, columnOf, outputDim);
  return {
    product: node,
    layout,
    contextRead,
    weight,
    weightDims,
    bias: bias && { node: bias.node, value: bias.value, dims: inquiry.dims(bias.value) },
    output: bias ? (bias.node.outputs[0] as string) : out,
    operand: {
      value: stream,
      rowAxes: rowLabels.map((label) => own.indexOf(label)),
      featureAxes: summed.map((label) => own.indexOf(label)),
    },
    features: rowOf,
    outputAxes: {
      rowAxes: rowLabels.map((label) => labels.out.indexOf(label)),
      columnAxes: columnLabels.map((label) => labels.out.indexOf(label)),
    },
    elements: () => ({
      rows: inWeight(strides, summed).map((at) => rowOf[at] as number),
      columns: inWeight(columnStrides, columnLabels),
    }),
    outputDim,
    readBias: () => bias?.read() ?? null,
  };
}

/** An addition right after a product whose other operand is one constant per column. */
function biasAfter(inquiry: Inquiry, product: string, columnOf: Int32Array, outputDim: number) {
  const readers = inquiry.readers(product);
  const node = readers[0];
  if (readers.length !== 1 || !node || inquiry.isOutput(product)) return null;
  if (node.operator.kind !== 'binary' || node.operator.name !== 'add') return null;
  const value = node.inputs.find((input) => input !== product);
  if (value === undefined || !inquiry.isFixed(value) || inquiry.isSized(value)) return null;
  const dims = inquiry.dims(product);
  if (inquiry.dims(node.outputs[0] as string).join() !== dims.join()) return null;
  const read = () => {
    const numbers = inquiry.constant(value);
    if (!numbers) return null;
    const source = broadcastSource(inquiry.dims(value), dims);
    const bias = new Float64Array(outputDim).fill(Number.NaN);
    for (const [element, column] of columnOf.entries()) {
      const number = numbers[source[element] as number] as number;
      if (Number.isNaN(bias[column])) bias[column] = number;
      else if (bias[column] !== number) return null;
    }
    return bias;
  };
  return read() ? { node, value, read } : null;
}
