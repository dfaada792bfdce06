import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import type { OnnxModel } from '../src/graph/model.js';

/** A node; its name is that of its first output. */
export function node(
  opType: string,
  input: string[],
  output: string[],
  attributes: Record<string, number | readonly number[] | GraphProto | TensorProto> = {},
  domain = '',
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
  return create(NodeProtoSchema, { opType, input, output, name: `node_${output[0]}`, attribute, domain });
}

function attributeOf(name: string, value: number | readonly number[] | GraphProto | TensorProto): AttributeProto {
  const type = AttributeProto_AttributeType;
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: type.INT, i: BigInt(value) });
  if (!('$typeName' in value)) {
    return create(AttributeProtoSchema, { name, type: type.INTS, ints: value.map((item) => BigInt(item)) });
  }
  return value.$typeName === 'onnx.GraphProto'
    ? create(AttributeProtoSchema, { name, type: type.GRAPH, g: value })
    : create(AttributeProtoSchema, { name, type: type.TENSOR, t: value });
}

/** A declared value; without a type where `elemType` is left out, without a shape where `dims` are. */
export function value(
  name: string,
  elemType?: TensorProto_DataType,
  dims?: readonly (number | string)[],
): ValueInfoProto {
  if (elemType === undefined) return create(ValueInfoProtoSchema, { name });
  const dim = (dims ?? []).map((size) => {
    if (size === '') return create(TensorShapeProto_DimensionSchema, {});
    const value =
      typeof size === 'number'
        ? { case: 'dimValue' as const, value: BigInt(size) }
        : { case: 'dimParam' as const, value: size };
    return create(TensorShapeProto_DimensionSchema, { value });
  });
  const shape = dims === undefined ? {} : { shape: create(TensorShapeProtoSchema, { dim }) };
  const tensor = create(TypeProto_TensorSchema, { elemType, ...shape });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } }),
  });
}

export function floats(name: string, dims: readonly number[], data: readonly number[]): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: dims.map((size) => BigInt(size)),
    dataType: TensorProto_DataType.FLOAT,
    floatData: [...data],
  });
}

export function integers(name: string, dims: readonly number[], data: readonly number[]): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: dims.map((size) => BigInt(size)),
    dataType: TensorProto_DataType.INT64,
    int64Data: data.map((item) => BigInt(item)),
  });
}

/** The fields of a graph that tests set. */
export interface GraphParts {
  node?: NodeProto[];
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
  initializer?: TensorProto[];
  valueInfo?: ValueInfoProto[];
}

export function graph(parts: GraphParts): GraphProto {
  return create(GraphProtoSchema, { name: 'test', ...parts });
}

/** A model of opset 17 and IR version 8 around a graph. */
export function model(graph: GraphProto): OnnxModel {
  const proto = create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ domain: '', version: 17n }], graph });
  return { proto, externalData: new Map(), name: 'test.onnx' };
}
