import type { GraphProto, NodeProto } from 'onnx-buf';
import { capturedNames, definedNames, nestedGraphs } from './captures.js';
import { edit } from './edit.js';

/**
 * A node that reads other values in place of some, in the graphs nested in it too. There a value of the same name that
 * is the graph's own stays.
 *
 * @param names - the new name of each value.
 */
export function readInstead(node: NodeProto, names: ReadonlyMap<string, string>): NodeProto {
  const isCaptured = capturedNames(node).some((name) => names.has(name));
  if (!isCaptured && !node.input.some((name) => names.has(name))) return node;
  const input = node.input.map((name) => names.get(name) ?? name);
  if (!isCaptured || nestedGraphs(node).length === 0) return edit(node, { input });
  const attribute = node.attribute.map((each) =>
    edit(each, {
      ...(each.g && { g: readInsteadWithin(each.g, names) }),
      graphs: each.graphs.map((graph) => readInsteadWithin(graph, names)),
    }),
  );
  return edit(node, { input, attribute });
}

function readInsteadWithin(graph: GraphProto, names: ReadonlyMap<string, string>): GraphProto {
  const own = definedNames(graph);
  const visible = new Map([...names].filter(([name]) => !own.has(name)));
  if (visible.size === 0) return graph;
  return edit(graph, {
    node: graph.node.map((node) => readInstead(node, visible)),
    output: graph.output.map((output) => edit(output, { name: visible.get(output.name) ?? output.name })),
  });
}
