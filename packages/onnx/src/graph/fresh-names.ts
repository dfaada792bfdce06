import type { GraphProto } from 'onnx-buf';
import { nestedGraphs } from './captures.js';

/** Gives a name that the graph does not use yet, starting from a wish; the same wish twice gives two names. */
export type FreshNames = (wish: string) => string;

/**
 * A source of names for new nodes and values that collide with no node, value or initialiser of the graph, nor of
 * any graph nested in it: there a new name could be shadowed, or shadow. A wish that is free is granted as it is,
 * otherwise it gets a number.
 *
 * @param graph - the graph that the names are for.
 */
export function freshNames(graph: GraphProto): FreshNames {
  const taken = new Set<string>();
  collectNames(graph, taken);
  const nextNumber = new Map<string, number>();
  return (wish) => {
    let name = wish;
    let number = nextNumber.get(wish) ?? 1;
    while (name === '' || taken.has(name)) name = `${wish}_${number++}`;
    nextNumber.set(wish, number);
    taken.add(name);
    return name;
  };
}

function collectNames(graph: GraphProto, names: Set<string>): void {
  for (const info of [...graph.input, ...graph.output, ...graph.valueInfo]) names.add(info.name);
  for (const tensor of graph.initializer) names.add(tensor.name);
  for (const sparse of graph.sparseInitializer) names.add(sparse.values?.name ?? '');
  for (const annotation of graph.quantizationAnnotation) names.add(annotation.tensorName);
  for (const node of graph.node) {
    names.add(node.name);
    for (const value of node.input) names.add(value);
    for (const value of node.output) names.add(value);
    for (const nested of nestedGraphs(node)) collectNames(nested, names);
  }
}
