import { create } from '@bufbuild/protobuf';
import type { GraphProto, NodeProto } from 'onnx-buf';
import { NodeProtoSchema } from 'onnx-buf';
import { definedNames, nestedGraphs } from '../graph/captures.js';
import { edit } from '../graph/edit.js';
import { graphIndex } from '../graph/graph-index.js';
import type { OnnxModel } from '../graph/model.js';
import { reach } from '../graph/reach.js';
import type { MergedDecoder } from './merged-decoder.js';
import { presentOf } from './merged-decoder.js';

/** A branch that makes some of its caches itself. */
export interface Spliced {
  readonly model: OnnxModel;
  /** The inputs that it had and makes now. */
  readonly caches: readonly string[];
}

/**
 * Puts what makes a cache in the first branch in the place of the later branch's input, where the later branch adds
 * nothing to it: the keys and values of cross-attention. So they are read, and swapped, as projections of the encoder's
 * output like any others.
 *
 * @param decoder - the model that both are branches of.
 * @param first - its first branch, lifted.
 * @param later - its later branch, lifted.
 */
export function spliceCaches(decoder: MergedDecoder, first: OnnxModel, later: OnnxModel): Spliced {
  const [from, to] = [first.proto.graph as GraphProto, later.proto.graph as GraphProto];
  const caches = decoder.pasts.filter((past) => isPassedBy(to, past) && isMade(from, presentOf(past)));
  if (caches.length === 0) return { model: later, caches };
  const { nodes, values } = reach(from, caches.map(presentOf));
  const own = definedNames(decoder.first.graph);
  const name = (value: string) => (own.has(value) ? `${SPLICED}${value}` : value);
  const copies = from.node
    .filter((_, at) => nodes.has(at))
    .map((node) =>
      edit(node, { name: `${SPLICED}${node.name}`, input: node.input.map(name), output: node.output.map(name) }),
    );
  const made = caches.map((past) =>
    create(NodeProtoSchema, {
      name: `${SPLICED}${past}`,
      opType: 'Identity',
      input: [name(presentOf(past))],
      output: [past],
    }),
  );
  const known = new Set([...to.input, ...to.initializer].map((entry) => entry.name));
  const graph = edit(to, {
    node: [...copies, ...made, ...to.node],
    initializer: [
      ...to.initializer,
      ...from.initializer
        .filter((tensor) => values.has(tensor.name) && (own.has(tensor.name) || !known.has(tensor.name)))
        .map((tensor) => (own.has(tensor.name) ? edit(tensor, { name: name(tensor.name) }) : tensor)),
    ],
    input: [
      ...to.input.filter((info) => !caches.includes(info.name)),
      ...from.input.filter((info) => values.has(info.name) && !known.has(info.name)),
    ],
  });
  return { model: { ...later, proto: edit(later.proto, { graph }) }, caches };
}

/** Starts the names of what is taken from the first branch. */
export const SPLICED = 'first step/';

/** Whether a branch hands a cache on as it came, or nothing in its place. */
function isPassedBy(graph: GraphProto, past: string): boolean {
  const index = graphIndex(graph);
  let at = presentOf(past);
  for (;;) {
    if (at === past || index.constant(at)?.dims.includes(0n)) return true;
    const producer = index.producer(at);
    const node: NodeProto | undefined = producer && index.node(producer.node);
    if (node?.opType !== 'Identity') return false;
    at = node.input[0] as string;
  }
}

/** Whether a branch makes a value with plain nodes. */
function isMade(graph: GraphProto, value: string): boolean {
  const index = graphIndex(graph);
  if (!index.producer(value)) return false;
  const { nodes } = reach(graph, [value]);
  return [...nodes].every((node) => nestedGraphs(index.node(node)).length === 0);
}
