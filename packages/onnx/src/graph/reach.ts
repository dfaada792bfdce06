import type { GraphProto } from 'onnx-buf';
import { readNames } from './captures.js';

/** What a walk against the flow of data meets. */
export interface Reach {
  /** Names of the values, where the walk starts and stops included. */
  readonly values: ReadonlySet<string>;
  /** Places of the nodes in `graph.node`. */
  readonly nodes: ReadonlySet<number>;
}

/**
 * Everything that some values are computed from, captures of nested graphs and the parameters that quantisation
 * annotations name included. Linear time; the order of the nodes does not matter.
 *
 * @param graph - the graph to walk in.
 * @param from - the values to start from.
 * @param stopAt - values behind which the walk does not look. Default none.
 */
export function reach(graph: GraphProto, from: Iterable<string>, stopAt: ReadonlySet<string> = new Set()): Reach {
  const producers = new Map<string, number>();
  graph.node.forEach((node, position) => {
    for (const output of node.output) producers.set(output, position);
  });
  const annotations = new Map(graph.quantizationAnnotation.map((annotation) => [annotation.tensorName, annotation]));
  const values = new Set<string>();
  const nodes = new Set<number>();
  const pending: string[] = [];
  const visit = (name: string) => {
    if (name === '' || values.has(name)) return;
    values.add(name);
    if (!stopAt.has(name)) pending.push(name);
  };
  for (const name of from) visit(name);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    for (const parameter of annotations.get(name)?.quantParameterTensorNames ?? []) visit(parameter.value);
    const position = producers.get(name);
    const node = position === undefined ? undefined : graph.node[position];
    if (position === undefined || node === undefined || nodes.has(position)) continue;
    nodes.add(position);
    readNames(node).forEach(visit);
  }
  return { values, nodes };
}
