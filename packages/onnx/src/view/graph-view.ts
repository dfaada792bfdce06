import type { Dimension, GraphView, ViewInput, ViewNode } from '@mhe/core';
import type { GraphProto, NodeProto, TensorProto, ValueInfoProto } from 'onnx-buf';
import { constantNodeTensor, isOnnxDomain } from '../graph/constant-tensor.js';
import type { OnnxModel } from '../graph/model.js';
import { sortNodes } from '../graph/sort-nodes.js';
import { decodeFloat, isFloatDtype } from '../tensor/decode-float.js';
import { decodeInt } from '../tensor/decode-int.js';
import type { Dtype } from '../tensor/dtype.js';
import { dtypeFromNumber, dtypeOf } from '../tensor/dtype.js';
import { tensorDims } from '../tensor/tensor-dims.js';
import { elementwise } from './elementwise.js';
import { moving } from './moving.js';
import { products } from './products.js';
import { shapeRules } from './shape-rules.js';
import type { Family, Translation } from './translation.js';

const translators: Family = { ...moving, ...products, ...elementwise };

/** Reads a model's graph as the finder's view: each operator named by what it does. */
export function graphView(model: OnnxModel): GraphView {
  const graph = model.proto.graph;
  if (!graph) throw new TypeError(`${model.name} has no graph`);
  const opset = Number(model.proto.opsetImport.find(({ domain }) => isOnnxDomain(domain))?.version ?? 1);
  const nodes: ViewNode[] = [];
  const constants = new Map<string, readonly number[]>();
  const addConstant = (id: string, tensor: TensorProto, source: string) => {
    const node = constantOf(model, id, tensor, source);
    if (!node) return;
    nodes.push(node);
    if (node.operator.kind === 'constant') constants.set(id, node.operator.dims);
  };
  for (const tensor of graph.initializer) addConstant(tensor.name, tensor, tensor.name);
  for (const { values, dims } of graph.sparseInitializer)
    if (values) nodes.push(sparseConstant(values.name, dims.map(Number)));
  for (const node of sortNodes(graph).node) {
    const tensor = constantNodeTensor(node);
    if (tensor) addConstant(node.output[0] ?? '', tensor, nodeName(node));
    else
      nodes.push(...translate({ node, opset, source: nodeName(node), constantDims: (value) => constants.get(value) }));
  }
  const initialised = new Set(graph.initializer.map(({ name }) => name));
  return {
    nodes,
    inputs: graph.input.filter(({ name }) => !initialised.has(name)).map(viewInput),
    outputs: graph.output.map(({ name }) => name),
    declared: declaredDims(graph),
  };
}

/** What messages and reports call a node: its name, or what it makes where it has none. */
export function nodeName(node: NodeProto): string {
  return node.name || node.output.find((name) => name !== '') || node.opType;
}

function translate(translation: Translation): readonly ViewNode[] {
  const { node, source } = translation;
  const translator = Object.hasOwn(translators, node.opType) ? translators[node.opType] : undefined;
  const known = isOnnxDomain(node.domain) ? translator?.(translation) : undefined;
  if (known) return known;
  const rule = Object.hasOwn(shapeRules, node.opType) ? (shapeRules[node.opType]?.(node) ?? null) : null;
  const name = isOnnxDomain(node.domain) ? node.opType : `${node.domain}.${node.opType}`;
  return [{ operator: { kind: 'opaque', name, shapes: rule }, inputs: node.input, outputs: node.output, source }];
}

/** Known by its size alone: what it holds is not read. */
function sparseConstant(id: string, dims: readonly number[]): ViewNode {
  const operator = { kind: 'opaque', name: 'sparse initializer', shapes: () => [dims] } as const;
  return { operator, inputs: [], outputs: [id], source: id };
}

function constantOf(model: OnnxModel, id: string, tensor: TensorProto, source: string): ViewNode | undefined {
  const dtype = dtypeOf(tensor);
  const dims = tensorDims(tensor, model);
  const read = readerOf(dtype);
  if (!read) return undefined;
  const type = isFloatDtype(dtype) ? 'float' : dtype === 'bool' ? 'boolean' : 'integer';
  return {
    operator: { kind: 'constant', dims, type, read: () => read(tensor, model) },
    inputs: [],
    outputs: [id],
    source,
  };
}

function readerOf(dtype: Dtype | undefined): ((tensor: TensorProto, model: OnnxModel) => Float64Array) | undefined {
  if (isFloatDtype(dtype)) return decodeFloat;
  switch (dtype) {
    case 'int64':
    case 'int32':
    case 'int16':
    case 'int8':
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'uint64':
    case 'bool':
      // Sizes and ends of slices: what passes 2^53 means "to the end" and stays larger than any size.
      return (tensor, model) => Float64Array.from(decodeInt(tensor, model), Number);
    default:
      return undefined;
  }
}

function viewInput(info: ValueInfoProto): ViewInput {
  const dtype = dtypeFromNumber(elemTypeOf(info));
  const type = isFloatDtype(dtype)
    ? 'float'
    : dtype === 'bool'
      ? 'boolean'
      : dtype?.includes('int')
        ? 'integer'
        : 'other';
  return { id: info.name, type, dims: dimsOf(info) ?? [] };
}

function elemTypeOf(info: ValueInfoProto): number {
  return info.type?.value.case === 'tensorType' ? info.type.value.value.elemType : 0;
}

function dimsOf(info: ValueInfoProto): Dimension[] | undefined {
  const shape = info.type?.value.case === 'tensorType' ? info.type.value.value.shape : undefined;
  return shape?.dim.map(({ value }) => {
    // Some exporters write -1 for an open dimension.
    if (value.case === 'dimValue') return value.value < 0n ? null : Number(value.value);
    return value.case === 'dimParam' && value.value !== '' ? value.value : null;
  });
}

function declaredDims(graph: GraphProto): Map<string, readonly Dimension[]> {
  return new Map(
    [...graph.valueInfo, ...graph.output].flatMap((info) => {
      const dims = dimsOf(info);
      return dims ? [[info.name, dims] as const] : [];
    }),
  );
}
