import type { AttributeProto, GraphProto, NodeProto, ValueInfoProto } from 'onnx-buf';
import { graphCaptures } from '../graph/captures.js';
import { isOnnxDomain } from '../graph/constant-tensor.js';
import type { OnnxModel } from '../graph/model.js';
import { isFloatDtype } from '../tensor/decode-float.js';
import { dtypeFromNumber } from '../tensor/dtype.js';

/** One branch of a merged decoder. */
export interface Branch {
  /** The `If` node's attribute that holds it: `then_branch` or `else_branch`. */
  readonly attribute: AttributeProto;
  readonly graph: GraphProto;
}

/**
 * A decoder whose first step and later steps are the branches of one `If`, which is all of the graph: the branches
 * share the weights and the inputs around them (Hugging Face optimum, `decoder_model_merged.onnx`).
 */
export interface MergedDecoder {
  readonly model: OnnxModel;
  readonly node: NodeProto;
  /** The branch of the first step, which makes all keys and values. */
  readonly first: Branch;
  /** The branch of the later steps, which goes on from those. */
  readonly later: Branch;
  /** Inputs that bring earlier keys and values: those of four axes that the later branch alone reads. */
  readonly pasts: readonly string[];
  /** The input that decides, and what it is for the first branch. */
  readonly condition: { readonly input: string; readonly first: boolean };
}

/** Reads a model as a merged decoder; `undefined` where it is another kind of graph. */
export function mergedDecoder(model: OnnxModel): MergedDecoder | undefined {
  const graph = model.proto.graph;
  const [node, ...others] = graph?.node ?? [];
  if (!graph || !node || others.length > 0 || node.opType !== 'If' || !isOnnxDomain(node.domain)) return undefined;
  // Before IR version 4 initialisers are inputs as well; sparse and quantised weights are looked after elsewhere.
  if (model.proto.irVersion < 4n || graph.sparseInitializer.length + graph.quantizationAnnotation.length > 0)
    return undefined;
  const names = (infos: readonly ValueInfoProto[]) => infos.map(({ name }) => name).join('\n');
  const branches = node.attribute.flatMap((attribute): Branch[] =>
    attribute.g ? [{ attribute, graph: attribute.g }] : [],
  );
  const outputs = names(graph.output);
  if (branches.length !== 2 || node.output.join('\n') !== outputs) return undefined;
  if (branches.some(({ graph }) => names(graph.output) !== outputs || graph.input.length > 0)) return undefined;
  const initialised = new Set(graph.initializer.map(({ name }) => name));
  const inputs = graph.input.filter(({ name }) => !initialised.has(name));
  const input = node.input[0] ?? '';
  if (!inputs.some(({ name }) => name === input)) return undefined;
  const [one, two] = branches as [Branch, Branch];
  const reads = (branch: Branch) => new Set(graphCaptures(branch.graph));
  const [byOne, byTwo] = [reads(one), reads(two)];
  const readAlone = (own: ReadonlySet<string>, other: ReadonlySet<string>) =>
    inputs.filter((info) => own.has(info.name) && !other.has(info.name) && isCacheLike(info));
  const [ofOne, ofTwo] = [readAlone(byOne, byTwo), readAlone(byTwo, byOne)];
  if (ofOne.length > 0 === ofTwo.length > 0) return undefined;
  const [first, later, pasts] = ofOne.length > 0 ? [two, one, ofOne] : [one, two, ofTwo];
  return {
    model,
    node,
    first,
    later,
    pasts: pasts.map(({ name }) => name),
    condition: { input, first: first.attribute.name === 'then_branch' },
  };
}

function isCacheLike({ type }: ValueInfoProto): boolean {
  if (type?.value.case !== 'tensorType') return false;
  const { elemType, shape } = type.value.value;
  return shape?.dim.length === 4 && isFloatDtype(dtypeFromNumber(elemType));
}

/** The output that hands on what an input brings, by the names that exporters and transformers.js give the two. */
export function presentOf(past: string): string {
  return past.replace(/^past_key_values/, 'present');
}
