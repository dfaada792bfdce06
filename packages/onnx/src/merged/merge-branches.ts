import type { AttributeProto, GraphProto, TensorProto } from 'onnx-buf';
import { definedNames, graphCaptures } from '../graph/captures.js';
import { edit } from '../graph/edit.js';
import { freshNames } from '../graph/fresh-names.js';
import type { OnnxModel } from '../graph/model.js';
import { readInstead } from '../graph/read-instead.js';
import type { MergedDecoder } from './merged-decoder.js';

/**
 * Puts two changed branches back under the model's `If`: what they share stands around them once, as before, new weights
 * of both as well.
 *
 * @param first - the first branch as a model of its own, changed.
 * @param later - the later one.
 */
export function mergeBranches(decoder: MergedDecoder, first: OnnxModel, later: OnnxModel): OnnxModel {
  const { model, node } = decoder;
  const outer = model.proto.graph as GraphProto;
  const graphs = [first, later].map(({ proto }) => proto.graph as GraphProto);
  const [one, two] = graphs as [GraphProto, GraphProto];
  const shared = new SharedTensors(outer, [one, two]);
  const bodies = new Map<AttributeProto, GraphProto>([
    [decoder.first.attribute, shared.branch(one, decoder.first.graph)],
    [decoder.later.attribute, shared.branch(two, decoder.later.graph)],
  ]);
  const attribute = node.attribute.map((entry) => {
    const g = bodies.get(entry);
    return g ? edit(entry, { g }) : entry;
  });
  const before = new Set(outer.initializer.map(({ name }) => name));
  const read = new Set([decoder.first.graph, decoder.later.graph].flatMap(graphCaptures));
  const kept = new Set([...bodies.values()].flatMap(graphCaptures));
  const graph = edit(outer, {
    node: [edit(node, { attribute })],
    initializer: [
      // What no branch read before stays as the user had it.
      ...outer.initializer.filter(({ name }) => kept.has(name) || !read.has(name)),
      ...shared.added,
    ],
    input: outer.input.filter(({ name }) => !before.has(name) || kept.has(name) || !read.has(name)),
  });
  return { ...model, proto: edit(model.proto, { graph }) };
}

/** Weights that stand around both branches, each once whatever the branches call it. */
class SharedTensors {
  readonly added: TensorProto[] = [];
  private readonly outer: ReadonlySet<string>;
  private readonly freshNames;
  private readonly alike = new Map<string, TensorProto[]>();

  constructor(outer: GraphProto, branches: readonly GraphProto[]) {
    this.outer = new Set(outer.initializer.map(({ name }) => name));
    // Names that are only read are those of the tensors themselves.
    const made = branches.flatMap(({ node }) => node.map((each) => edit(each, { input: [], attribute: [] })));
    this.freshNames = freshNames(edit(outer, { node: [...outer.node, ...made] }));
  }

  /** A branch as it stands in the `If`: its own initialisers in it, all others around it. */
  branch(graph: GraphProto, original: GraphProto): GraphProto {
    const own = definedNames(original);
    const renamed = new Map<string, string>();
    for (const tensor of graph.initializer) {
      if (own.has(tensor.name) || this.outer.has(tensor.name)) continue;
      renamed.set(tensor.name, this.name(tensor));
    }
    return edit(graph, {
      input: [],
      initializer: graph.initializer.filter(({ name }) => own.has(name)),
      node: graph.node.map((node) => readInstead(node, renamed)),
    });
  }

  /** The name of a new tensor around the branches, which another of the same content may have brought. */
  private name(tensor: TensorProto): string {
    const kind = `${tensor.dataType}|${tensor.dims}`;
    const alike = this.alike.get(kind) ?? [];
    const known = alike.find(({ rawData }) => isSame(rawData, tensor.rawData));
    if (known) return known.name;
    const added = edit(tensor, { name: this.freshNames(tensor.name) });
    this.alike.set(kind, [...alike, added]);
    this.added.push(added);
    return added.name;
  }
}

function isSame(one: Uint8Array, two: Uint8Array): boolean {
  return one.length === two.length && one.every((byte, i) => byte === two[i]);
}
