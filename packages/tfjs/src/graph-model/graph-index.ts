import type { TfjsModel } from '../file/model.js';
import { graphOf, signatureEntries } from './graph-model.js';
import type { NodeDef } from './node-def.js';
import { dataInputs, nodeInputs, valueName } from './node-def.js';
import { sortNodes } from './sort-nodes.js';

/** A graph's nodes in an order that runs, found by name. */
export interface GraphIndex {
  readonly nodes: readonly NodeDef[];
  node(name: string): NodeDef | undefined;
  /** Nodes that compute with any output of a node. */
  readers(name: string): readonly NodeDef[];
  /** Nodes that compute with one value. */
  readersOf(value: string): readonly NodeDef[];
  /** Values that a call of the model returns: those of its signature, or of nodes that nothing reads. */
  readonly outputs: readonly string[];
}

/**
 * Indexes a graph.
 *
 * @throws Error where two nodes have one name, a node reads what does not exist, or nodes wait for each other.
 */
export function graphIndex(model: TfjsModel): GraphIndex {
  const graph = graphOf(model);
  const nodes = sortNodes(graph.node, model.name);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const readers = new Map<string, NodeDef[]>();
  const readersOf = new Map<string, NodeDef[]>();
  const add = (map: Map<string, NodeDef[]>, key: string, node: NodeDef) => {
    const list = map.get(key);
    if (list) list.push(node);
    else map.set(key, [node]);
  };
  for (const node of nodes) {
    for (const name of new Set(nodeInputs(node))) add(readers, name, node);
    for (const value of new Set(dataInputs(node))) add(readersOf, value, node);
  }
  const declared = signatureEntries(model, 'outputs').map(({ value }) => valueName(value));
  const leaves = graph.node.filter(({ name }) => !readers.has(name)).map(({ name }) => name);
  return {
    nodes,
    node: (name) => byName.get(name),
    readers: (name) => readers.get(name) ?? [],
    readersOf: (value) => readersOf.get(value) ?? [],
    outputs: declared.length > 0 ? declared : leaves,
  };
}
