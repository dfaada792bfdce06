import type { NodeProto } from 'onnx-buf';

/**
 * What an error message calls a node: its name and operator, or for a node without a name its place in the graph
 * and its first output.
 *
 * @param node - the node.
 * @param position - its place in the graph's list of nodes, from 0.
 */
export function nodeLabel(node: NodeProto, position: number): string {
  const operator = node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
  if (node.name !== '') return `"${node.name}" (${operator})`;
  const output = node.output.find((name) => name !== '');
  return `number ${position} (${operator}${output === undefined ? '' : ` of "${output}"`})`;
}
