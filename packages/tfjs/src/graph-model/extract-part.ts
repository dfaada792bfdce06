import { TfjsModel } from '../file/model.js';
import { freshNames } from './fresh-names.js';
import type { GraphIndex } from './graph-index.js';
import { graphIndex } from './graph-index.js';
import { graphOf } from './graph-model.js';
import type { NodeDef } from './node-def.js';
import { dataInputs } from './node-def.js';
import { reach } from './reach.js';

/** Element types of values that pass between parts of a model. */
export type ValueType = 'float32' | 'int32' | 'bool' | 'string' | 'complex64';

/** A part of a model as a model of its own. */
export interface GraphPart {
  readonly model: TfjsModel;
  /** For each value that the part is fed, the placeholder that takes it; those that it does not need are left out. */
  readonly feeds: ReadonlyMap<string, string>;
  /** What it computes, by the names that these values have in the whole model. */
  readonly outputs: readonly string[];
}

/**
 * The part of a model that computes some values from others, with the weights it needs and no others. Nodes share the
 * model's, and weights its data.
 *
 * @param inputs - values that the part is fed, with their types.
 * @throws Error where an output is an input, or needs an input of the model that is not among the inputs.
 */
export function extractPart(
  model: TfjsModel,
  inputs: ReadonlyMap<string, ValueType>,
  outputs: readonly string[],
  index: GraphIndex = graphIndex(model),
): GraphPart {
  const cut = new Set(inputs.keys());
  const given = outputs.find((output) => cut.has(output));
  if (given !== undefined) throw new Error(`${model.name}: "${given}" is both given to a part and asked of it`);
  const needed = reach(index, outputs, cut);
  const names = freshNames(index.nodes);
  const read = new Set([...needed].flatMap((node) => dataInputs(node)));
  const feeds = new Map(
    [...inputs.keys()].filter((value) => read.has(value)).map((value) => [value, names('mhe/fed')]),
  );
  const nodes: NodeDef[] = [...feeds].map(([value, name]) => placeholder(name, inputs.get(value) as ValueType));
  for (const node of index.nodes) {
    if (!needed.has(node)) continue;
    if (node.op === 'Placeholder') throw new Error(`${model.name}: a part of it needs the input "${node.name}"`);
    // What a node only waits for has happened before, or has no effect on values.
    nodes.push({ ...node, input: dataInputs(node).map((value) => feeds.get(value) ?? value) });
  }
  const kept = new Set(nodes.map(({ name }) => name));
  const { library, versions = {} } = graphOf(model);
  const hasCalls = library !== undefined && [...needed].some(callsFunction);
  const topology = { node: nodes, versions, ...(hasCalls && { library }) };
  const weights = hasCalls ? model.weights : model.weights.filter(({ spec }) => kept.has(spec.name));
  return {
    model: new TfjsModel(model.name, 'graph-model', { modelTopology: topology }, weights),
    feeds,
    outputs,
  };
}

/** Whether a node runs a function of the library. */
function callsFunction({ attr }: NodeDef): boolean {
  return Object.values(attr ?? {}).some(({ func }) => func !== undefined);
}

const dataTypes: Readonly<Record<ValueType, string>> = {
  float32: 'DT_FLOAT',
  int32: 'DT_INT32',
  bool: 'DT_BOOL',
  string: 'DT_STRING',
  complex64: 'DT_COMPLEX64',
};

function placeholder(name: string, type: ValueType): NodeDef {
  return {
    name,
    op: 'Placeholder',
    attr: { dtype: { type: dataTypes[type] }, shape: { shape: { unknownRank: true } } },
  };
}
