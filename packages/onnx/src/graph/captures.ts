import type { GraphProto, NodeProto } from 'onnx-buf';

/** Protos are immutable here, so what a node captures is worked out once. */
const known = new WeakMap<NodeProto, readonly string[]>();

/** The graphs that a node carries as attributes: the bodies of If, Loop, Scan and their kin. */
export function nestedGraphs(node: NodeProto): readonly GraphProto[] {
  if (node.attribute.length === 0) return [];
  return node.attribute.flatMap((attribute) => (attribute.g === undefined ? attribute.graphs : [attribute.g]));
}

/**
 * The values around a node that its nested graphs read by name (ONNX IR, "Names Within a Graph"): inputs of the
 * node that its input list does not show. Each name once, in the order they are met.
 */
export function capturedNames(node: NodeProto): readonly string[] {
  const cached = known.get(node);
  if (cached !== undefined) return cached;
  const graphs = nestedGraphs(node);
  if (graphs.length === 0) return [];
  const names = [...new Set(graphs.flatMap(graphCaptures))];
  known.set(node, names);
  return names;
}

/** The values around a graph that it reads by name, its own nested graphs included. Each once, in the order they are met. */
export function graphCaptures(graph: GraphProto): readonly string[] {
  const own = definedNames(graph);
  const captured = new Set<string>();
  const read = (name: string) => {
    if (name !== '' && !own.has(name)) captured.add(name);
  };
  for (const node of graph.node) {
    node.input.forEach(read);
    capturedNames(node).forEach(read);
  }
  for (const output of graph.output) read(output.name);
  return [...captured];
}

/** Every value a node reads, once each: its inputs that are given, then what its nested graphs capture. */
export function readNames(node: NodeProto): readonly string[] {
  const names = new Set(node.input);
  for (const name of capturedNames(node)) names.add(name);
  names.delete('');
  return [...names];
}

/** The names that a graph itself defines: inputs, initialisers (sparse ones too), outputs of its nodes. */
export function definedNames(graph: GraphProto): Set<string> {
  const names = new Set<string>();
  for (const input of graph.input) names.add(input.name);
  for (const tensor of graph.initializer) names.add(tensor.name);
  for (const sparse of graph.sparseInitializer) names.add(sparse.values?.name ?? '');
  for (const node of graph.node) for (const output of node.output) names.add(output);
  names.delete('');
  return names;
}
