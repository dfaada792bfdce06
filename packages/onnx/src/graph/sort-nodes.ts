import type { AttributeProto, GraphProto, NodeProto } from 'onnx-buf';
import { quoted } from '../file/onnx-file-error.js';
import { nestedGraphs, readNames } from './captures.js';
import { edit } from './edit.js';
import { nodeLabel } from './node-label.js';

/**
 * The graph with every node after those it reads from, its nested graphs included; what these capture counts as
 * read. A node moves only where it has to, so a sorted graph comes back as the same object. Linear time.
 *
 * @param graph - a graph, possibly in any order.
 * @returns the sorted graph.
 * @throws Error where a value is defined twice, read but never defined, or depends on itself; the message names
 *   the nodes.
 */
export function sortNodes(graph: GraphProto): GraphProto {
  return sorted(graph, () => false);
}

type IsDefined = (name: string) => boolean;

function sorted(graph: GraphProto, definedOutside: IsDefined): GraphProto {
  const producers = producersOf(graph);
  const isDefined: IsDefined = (name) => producers.has(name) || definedOutside(name);
  for (const output of graph.output) {
    if (!isDefined(output.name)) {
      throw new Error(`Output ${quoted(output.name)} of graph ${quoted(graph.name)} is computed by no node.`);
    }
  }
  const nodes = graph.node.map((node) => withSortedBodies(node, isDefined));
  const order = dependencyOrder(nodes, producers, definedOutside);
  const unchanged = order.every((position, place) => position === place && nodes[place] === graph.node[place]);
  return unchanged ? graph : edit(graph, { node: order.map((position) => nodes[position] as NodeProto) });
}

/** Which node makes each value; `null` for inputs and initialisers. */
function producersOf(graph: GraphProto): Map<string, number | null> {
  const producers = new Map<string, number | null>();
  for (const input of graph.input) {
    if (producers.has(input.name))
      throw new Error(`Graph ${quoted(graph.name)} has two inputs named ${quoted(input.name)}.`);
    producers.set(input.name, null);
  }
  const initializers = new Set<string>();
  const sparseNames = graph.sparseInitializer.map((sparse) => sparse.values?.name ?? '');
  for (const name of [...graph.initializer.map((tensor) => tensor.name), ...sparseNames]) {
    if (initializers.has(name))
      throw new Error(`Graph ${quoted(graph.name)} has two initializers named ${quoted(name)}.`);
    initializers.add(name);
    producers.set(name, null);
  }
  graph.node.forEach((node, position) => {
    for (const output of node.output) {
      if (output === '') continue;
      const other = producers.get(output);
      if (other !== undefined) {
        const first = other === null ? 'an input or initializer' : `node ${labelAt(graph.node, other)}`;
        throw new Error(
          `Value ${quoted(output)} is defined twice in graph ${quoted(graph.name)}: by ${first} and by node ${nodeLabel(node, position)}.`,
        );
      }
      producers.set(output, position);
    }
  });
  return producers;
}

function withSortedBodies(node: NodeProto, isDefined: IsDefined): NodeProto {
  if (nestedGraphs(node).length === 0) return node;
  const attribute = node.attribute.map((attribute) => withSortedGraphs(attribute, isDefined));
  return attribute.every((body, i) => body === node.attribute[i]) ? node : edit(node, { attribute });
}

function withSortedGraphs(attribute: AttributeProto, isDefined: IsDefined): AttributeProto {
  if (attribute.g !== undefined) {
    const g = sorted(attribute.g, isDefined);
    return g === attribute.g ? attribute : edit(attribute, { g });
  }
  const graphs = attribute.graphs.map((graph) => sorted(graph, isDefined));
  return graphs.every((graph, i) => graph === attribute.graphs[i]) ? attribute : edit(attribute, { graphs });
}

/** Depth-first from each node in turn, so that a node is pulled forward only by one that needs it. */
function dependencyOrder(
  nodes: readonly NodeProto[],
  producers: ReadonlyMap<string, number | null>,
  definedOutside: IsDefined,
): number[] {
  const order: number[] = [];
  const state = new Uint8Array(nodes.length);
  const [open, done] = [1, 2];
  // An own stack: graphs may be deeper than the engine's.
  const stack: { position: number; reads: readonly string[]; next: number }[] = [];
  const enter = (position: number) => {
    state[position] = open;
    stack.push({ position, reads: readNames(nodes[position] as NodeProto), next: 0 });
  };
  for (let start = 0; start < nodes.length; start++) {
    if (state[start] !== done) enter(start);
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as (typeof stack)[number];
      const name = top.reads[top.next++];
      if (name === undefined) {
        state[top.position] = done;
        order.push(top.position);
        stack.pop();
        continue;
      }
      const producer = producers.get(name);
      if (producer === undefined) {
        if (definedOutside(name)) continue;
        throw new Error(`Node ${labelAt(nodes, top.position)} reads ${quoted(name)}, which nothing defines.`);
      }
      if (producer === null || state[producer] === done) continue;
      if (state[producer] === open) {
        const from = stack.findIndex((entry) => entry.position === producer);
        throw new Error(cycleMessage(stack.slice(from).map((entry) => labelAt(nodes, entry.position))));
      }
      enter(producer);
    }
  }
  return order;
}

/** At most six names: a cycle may run through thousands of nodes. */
function cycleMessage(labels: readonly string[]): string {
  const shown = labels.length > 6 ? [...labels.slice(0, 5), `${labels.length - 5} more`] : labels;
  return `Nodes depend on each other in a circle: ${shown.join(', which reads from ')}.`;
}

function labelAt(nodes: readonly NodeProto[], position: number): string {
  return nodeLabel(nodes[position] as NodeProto, position);
}
