import type { GraphProto, NodeProto } from 'onnx-buf';
import { definedNames, readNames } from './captures.js';
import { edit } from './edit.js';
import { type Reach, reach } from './reach.js';

/**
 * Drops what an edit left without a use: nodes, initialisers (with the graph inputs that declare them), value infos
 * and quantisation annotations. What was already useless in the original stays as the user had it, unless it hangs
 * on something that goes. Inputs that a caller feeds and outputs always stay.
 *
 * @param graph - the edited graph, sorted or not.
 * @param original - the graph that the edit started from.
 * @returns the smaller graph, or `graph` itself where nothing has to go.
 */
export function pruneGraph(graph: GraphProto, original: GraphProto): GraphProto {
  const before = reach(original, outputNames(original));
  const after = reach(graph, outputNames(graph));
  const originalTensors = new Set(tensorNames(original));
  const neverInUse = (tensor: string) => originalTensors.has(tensor) && !before.values.has(tensor);

  const allTensors = new Set([...originalTensors, ...tensorNames(graph)]);
  const fed = graph.input.map((input) => input.name).filter((name) => !allTensors.has(name));
  const tensors = tensorNames(graph).filter((name) => after.values.has(name) || neverInUse(name));
  const node = keptNodes(graph, after, leftovers(graph, original, before), new Set([...fed, ...tensors]));

  const read = new Set(node.flatMap(readNames));
  const readBefore = new Set(original.node.flatMap(readNames));
  const keepsTensor = (name: string) =>
    after.values.has(name) || read.has(name) || (neverInUse(name) && !readBefore.has(name));
  const tensorsLeft = new Set(tensorNames(graph).filter(keepsTensor));
  const rest = edit(graph, {
    node,
    initializer: graph.initializer.filter((tensor) => tensorsLeft.has(tensor.name)),
    sparseInitializer: graph.sparseInitializer.filter((sparse) => tensorsLeft.has(sparse.values?.name ?? '')),
    // Without its initialiser such an input would turn into one that the caller has to feed.
    input: graph.input.filter(({ name }) => tensorsLeft.has(name) || !allTensors.has(name)),
  });
  const defined = definedNames(rest);
  const definedBefore = definedNames(original);
  const keepsNote = (name: string) => defined.has(name) || !definedBefore.has(name);
  const pruned = edit(rest, {
    valueInfo: graph.valueInfo.filter((info) => keepsNote(info.name)),
    quantizationAnnotation: graph.quantizationAnnotation.filter((annotation) => keepsNote(annotation.tensorName)),
  });
  return PARTS.every((part) => pruned[part].length === graph[part].length) ? graph : pruned;
}

const PARTS = [
  'node',
  'initializer',
  'sparseInitializer',
  'input',
  'valueInfo',
  'quantizationAnnotation',
] as const satisfies (keyof GraphProto)[];

function outputNames(graph: GraphProto): string[] {
  return graph.output.map((output) => output.name);
}

function tensorNames(graph: GraphProto): string[] {
  return [...graph.initializer, ...graph.sparseInitializer.map((sparse) => sparse.values)].map((t) => t?.name ?? '');
}

/** Nodes of the user's file that nothing needed before the edit either. */
function leftovers(graph: GraphProto, original: GraphProto, before: Reach): Set<NodeProto> {
  const unused = new Set(original.node.filter((_, position) => !before.nodes.has(position)));
  return new Set(graph.node.filter((node) => unused.has(node)));
}

/** The nodes in use, and the leftovers that still have all that they read. */
function keptNodes(graph: GraphProto, after: Reach, unused: Set<NodeProto>, available: Set<string>): NodeProto[] {
  const inUse = (position: number) => after.nodes.has(position);
  const candidates = graph.node.filter((node, position) => inUse(position) || unused.has(node));
  for (const node of candidates) for (const output of node.output) available.add(output);
  const readers = new Map<string, NodeProto[]>();
  for (const node of candidates) {
    if (!unused.has(node)) continue;
    for (const name of readNames(node)) {
      const list = readers.get(name);
      if (list === undefined) readers.set(name, [node]);
      else list.push(node);
    }
  }
  const gone = new Set<NodeProto>();
  const missing = [...readers.keys()].filter((name) => !available.has(name));
  for (let name = missing.pop(); name !== undefined; name = missing.pop()) {
    for (const node of readers.get(name) ?? []) {
      if (gone.has(node)) continue;
      gone.add(node);
      missing.push(...node.output);
    }
  }
  return candidates.filter((node) => !gone.has(node));
}
