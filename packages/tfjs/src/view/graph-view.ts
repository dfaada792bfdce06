import type { Dimension, GraphView, ViewInput, ViewNode } from '@mhe/core';
import type { StoredWeight, TfjsModel } from '../file/model.js';
import { weightElements } from '../file/weight-bytes.js';
import { weightValues } from '../file/weight-values.js';
import { shapeDims, typeAttribute } from '../graph-model/attributes.js';
import { graphIndex } from '../graph-model/graph-index.js';
import type { NodeDef } from '../graph-model/node-def.js';
import { elementwise } from './elementwise.js';
import { moving } from './moving.js';
import { products } from './products.js';
import { shapeRules } from './shape-rules.js';
import type { Family, Translation } from './translation.js';
import { outputNames, translationOf } from './translation.js';

const translators: Family = { ...moving, ...products, ...elementwise };

/** Weights of up to this many elements may be axes, permutations or sizes. */
const SMALL = 64;

/** Reads a model's graph as the finder's view: each operator named by what it does. */
export function graphView(model: TfjsModel): GraphView {
  const { nodes, outputs } = graphIndex(model);
  const weights = new Map(model.weights.map((weight) => [weight.spec.name, weight]));
  const constants = {
    constantDims: (value: string) => weights.get(value)?.spec.shape,
    constant: (value: string) => {
      const weight = weights.get(value);
      if (!weight || weightElements(weight.spec) > SMALL) return undefined;
      const values = weightValues(weight);
      return values && Array.from(values);
    },
  };
  return {
    nodes: nodes.flatMap((node) => {
      if (isInput(node)) return [];
      const weight = weights.get(node.name);
      return weight ? constantOf(weight) : translate(translationOf(node, constants));
    }),
    inputs: nodes.filter(isInput).map(viewInput),
    outputs,
    declared: declaredDims(nodes),
  };
}

/** Whether a caller feeds a node. */
export function isInput({ op }: NodeDef): boolean {
  return op === 'Placeholder' || op === 'PlaceholderWithDefault';
}

function translate(translation: Translation): readonly ViewNode[] {
  const { node, inputs } = translation;
  const known = Object.hasOwn(translators, node.op) ? translators[node.op]?.(translation) : undefined;
  if (known) return known;
  const shapes = Object.hasOwn(shapeRules, node.op) ? (shapeRules[node.op]?.(node) ?? null) : null;
  const outputs = outputNames(translation, outputCount(node));
  return [{ operator: { kind: 'opaque', name: node.op, shapes }, inputs, outputs, source: node.name }];
}

/** How many outputs an operator without a translation may have: as many as anything asks of it. */
function outputCount({ op }: NodeDef): number {
  return /^(TopKV2|UniqueV2|Unique|Switch|Merge|If|StatelessIf|While|StatelessWhile|FusedBatchNorm)/.test(op) ? 16 : 1;
}

function constantOf(weight: StoredWeight): readonly ViewNode[] {
  const { name, shape, dtype } = weight.spec;
  const type = dtype === 'float32' ? 'float' : dtype === 'bool' ? 'boolean' : 'integer';
  const read = () => {
    const values = weightValues(weight);
    if (!values) throw new TypeError(`the weight ${name} holds ${dtype}, no numbers`);
    return values;
  };
  if (dtype === 'string' || dtype === 'complex64') return [];
  return [{ operator: { kind: 'constant', dims: shape, type, read }, inputs: [], outputs: [name], source: name }];
}

function viewInput(node: NodeDef): ViewInput {
  const dtype = typeAttribute(node, 'dtype') ?? '';
  const type = /FLOAT|DOUBLE|HALF/.test(dtype)
    ? 'float'
    : dtype === 'DT_BOOL'
      ? 'boolean'
      : /INT/.test(dtype)
        ? 'integer'
        : 'other';
  return { id: node.name, type, dims: open(shapeDims(node.attr?.shape?.shape)) ?? [] };
}

function open(dims: readonly number[] | undefined): Dimension[] | undefined {
  return dims?.map((dim) => (dim < 0 ? null : dim));
}

/** Sizes that some converters leave with each node. */
function declaredDims(nodes: readonly NodeDef[]): Map<string, readonly Dimension[]> {
  const declared = new Map<string, readonly Dimension[]>();
  for (const node of nodes) {
    node.attr?._output_shapes?.list?.shape?.forEach((shape, place) => {
      const dims = open(shapeDims(shape));
      if (dims) declared.set(place === 0 ? node.name : `${node.name}:${place}`, dims);
    });
  }
  return declared;
}
