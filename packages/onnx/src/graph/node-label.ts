import type { NodeProto } from 'onnx-buf';
import { quoted } from '../file/onnx-file-error.js';

/**
 * What an error message calls a node: its name and operator, or for a node without a name its place in the graph
 * and its first output.
 *
 * @param node - the node.
 * @param position - its place in the graph's list of nodes, from 0.
 */
export function nodeLabel(node: NodeProto, position: number): string {
  const operator = quoted(node.domain === '' ? node.opType : `${node.domain}.${node.opType}`).slice(1, -1);
  if (node.name !== '') return `${quoted(node.name)} (${operator})`;
  const output = node.output.find((name) => name !== '');
  return `number ${position} (${operator}${output === undefined ? '' : ` of ${quoted(output)}`})`;
}
