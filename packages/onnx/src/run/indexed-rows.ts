import type { NodeProto } from 'onnx-buf';
import { isOnnxDomain } from '../graph/constant-tensor.js';
import type { GraphIndex } from '../graph/graph-index.js';
import { arrivals } from './arrivals.js';

/** Operators whose result has the dimensions of their first input. */
const SAME_DIMS = new Set(['Cast', 'Identity', 'DequantizeLinear']);

/**
 * How many rows the constant tables have that a value picks rows from: the vocabulary, where the value is an input of
 * token numbers.
 *
 * @param index - index of the graph.
 * @param value - the value, such as a graph input.
 * @returns the rows of the smallest table, `null` where the value indexes none.
 */
export function indexedRows(index: GraphIndex, value: string): number | null {
  const sizes = arrivals(index, value)
    .filter(({ node, input }) => node.opType === 'Gather' && input === 1)
    .map(({ node }) => gatheredSize(index, node))
    .filter((size) => size !== null);
  return sizes.length === 0 ? null : Math.min(...sizes);
}

/** The size of the axis that a Gather picks from, `null` where its table is not constant. */
function gatheredSize(index: GraphIndex, node: NodeProto): number | null {
  let table = node.input[0] ?? '';
  for (let steps = 0; index.constant(table) === undefined; steps++) {
    const producer = index.producer(table);
    if (producer === undefined || steps === 8) return null;
    const source = index.node(producer.node);
    if (!SAME_DIMS.has(source.opType) || !isOnnxDomain(source.domain)) return null;
    table = source.input[0] ?? '';
  }
  const dims = index.constant(table)?.dims ?? [];
  const axis = Number(node.attribute.find((attribute) => attribute.name === 'axis')?.i ?? 0n);
  const size = dims.at(axis);
  return size === undefined || size <= 0n ? null : Number(size);
}
