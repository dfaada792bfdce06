import { create } from '@bufbuild/protobuf';
import { type GraphProto, type TensorProto_DataType, type ValueInfoProto, ValueInfoProtoSchema } from 'onnx-buf';
import { quoted } from '../file/onnx-file-error.js';
import { edit } from './edit.js';
import { type GraphIndex, graphIndex } from './graph-index.js';
import type { OnnxModel } from './model.js';
import { nodeLabel } from './node-label.js';
import { reach } from './reach.js';
import { valueInfo } from './value-info.js';

/**
 * An input of an extracted model: a name, whose type the graph declares, or a name and the element type that the
 * caller knows it has (its dimensions are then left open).
 */
export type ExtractInput = string | { readonly name: string; readonly elemType: TensorProto_DataType };

/** Where to cut a model. */
export interface ModelRange {
  /** Values that the extracted model is fed, in this order; those it does not need are kept as unused inputs. */
  readonly inputs: readonly ExtractInput[];
  /** Values that it returns, in this order. */
  readonly outputs: readonly string[];
}

/**
 * The part of a model that computes some values from others, as a model of its own: with the initialisers it needs
 * and no others, and with the model's operator sets, functions and IR version. Shares all messages and data.
 *
 * @param model - the model to cut from.
 * @param range - the values between which to cut.
 * @throws Error where a value does not exist or has no known type, or where an output needs a graph input that is
 *   not among the inputs.
 */
export function extractModel(model: OnnxModel, range: ModelRange): OnnxModel {
  const graph = model.proto.graph;
  if (graph === undefined) throw new Error(`${model.name} holds no graph.`);
  const index = graphIndex(graph);
  const inputNames = range.inputs.map((input) => (typeof input === 'string' ? input : input.name));
  const cut = new Set(inputNames);
  for (const name of range.outputs) {
    if (cut.has(name)) throw new Error(`Cannot extract ${quoted(name)} as an output: it is an input of the same part.`);
  }
  const { values, nodes } = reach(graph, range.outputs, cut);
  checkDefined(index, nodes, values, cut);

  const isNeeded = (name: string) => values.has(name) && !cut.has(name);
  // IR versions below 4 want every initialiser declared as an input too.
  const declarations = graph.input.filter(({ name }) => isNeeded(name));
  const part: GraphProto = edit(graph, {
    node: graph.node.filter((_, position) => nodes.has(position)),
    initializer: graph.initializer.filter((tensor) => isNeeded(tensor.name)),
    sparseInitializer: graph.sparseInitializer.filter((sparse) => isNeeded(sparse.values?.name ?? '')),
    input: [...range.inputs.map((input) => inputInfo(index, input)), ...declarations],
    output: range.outputs.map((name) => outputInfo(graph, name)),
    valueInfo: graph.valueInfo.filter(({ name }) => isNeeded(name) && !range.outputs.includes(name)),
    quantizationAnnotation: graph.quantizationAnnotation.filter(({ tensorName }) => isNeeded(tensorName)),
  });
  return { ...model, proto: edit(model.proto, { graph: part, trainingInfo: [] }) };
}

function checkDefined(index: GraphIndex, nodes: ReadonlySet<number>, values: ReadonlySet<string>, cut: Set<string>) {
  for (const name of values) {
    if (cut.has(name)) continue;
    if (index.producer(name) ?? index.initializers.get(name) ?? index.sparseInitializers.get(name)) continue;
    const reader = index.consumers(name).find((consumer) => nodes.has(consumer.node));
    const by = reader === undefined ? '' : ` (read by node ${nodeLabel(index.node(reader.node), reader.node)})`;
    throw new Error(
      index.inputs.has(name)
        ? `The part needs ${quoted(name)}${by}: an input of the model that is not among the inputs of the part.`
        : `The part needs ${quoted(name)}${by}, but nothing in the graph defines it.`,
    );
  }
}

function inputInfo(index: GraphIndex, input: ExtractInput): ValueInfoProto {
  const name = typeof input === 'string' ? input : input.name;
  const declared = index.declared.get(name);
  if (typeof input === 'string' && declared?.type !== undefined) return declared;
  const elemType = typeof input === 'string' ? index.constant(name)?.dataType : input.elemType;
  if (elemType === undefined) {
    throw new Error(`The graph does not declare the type of ${quoted(name)}: give its element type to cut there.`);
  }
  return valueInfo(name, elemType);
}

/** Runtimes infer the type of an output; what a file claims about an inner value may be out of date. */
function outputInfo(graph: GraphProto, name: string): ValueInfoProto {
  return graph.output.find((output) => output.name === name) ?? create(ValueInfoProtoSchema, { name });
}
