import { create } from '@bufbuild/protobuf';
import type { OnnxModel } from '@mhe/onnx';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
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

/** Whole numbers and lists of them; all that the models here need. */
type Attributes = Readonly<Record<string, number | readonly number[]>>;

/** An input or output: a name, an element type and its dimensions, open ones by name. */
export interface Value {
  readonly name: string;
  readonly type: 'float32' | 'int64';
  readonly dims: readonly (number | string)[];
}

/** Makes ONNX models node by node. Values are known by name. */
export class GraphBuilder {
  private readonly nodes: NodeProto[] = [];
  private readonly initializers: TensorProto[] = [];

  /** Adds a node with one output; returns the output's name, or gives it the name that is asked for. */
  node(
    opType: string,
    input: readonly string[],
    { attributes = {}, domain = '', output }: { attributes?: Attributes; domain?: string; output?: string } = {},
  ): string {
    const name = `${opType}_${this.nodes.length}`;
    const result = output ?? `${name}_output`;
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    this.nodes.push(create(NodeProtoSchema, { name, opType, domain, input: [...input], output: [result], attribute }));
    return result;
  }

  /** A float32 weight; values of another type are rounded to it. */
  floats(dims: readonly number[], values: Float32Array | Float64Array): string {
    const data = values instanceof Float32Array ? values : Float32Array.from(values);
    return this.initializer(TensorProto_DataType.FLOAT, dims, data);
  }

  /** A list of 64-bit integers. */
  integers(values: readonly number[]): string {
    return this.initializer(TensorProto_DataType.INT64, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** The model of all that was added, of opset 17. */
  model(name: string, inputs: readonly Value[], outputs: readonly Value[]): OnnxModel {
    const proto = create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [
        { domain: '', version: 17n },
        { domain: 'com.microsoft', version: 1n },
      ],
      graph: create(GraphProtoSchema, {
        name: 'benchmark',
        node: this.nodes,
        initializer: this.initializers,
        input: inputs.map(valueInfo),
        output: outputs.map(valueInfo),
      }),
    });
    return { proto, externalData: new Map(), name };
  }

  private initializer(
    dataType: TensorProto_DataType,
    dims: readonly number[],
    { buffer, byteOffset, byteLength }: Float32Array | BigInt64Array,
  ): string {
    const name = `constant_${this.initializers.length}`;
    const rawData = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
    this.initializers.push(create(TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData }));
    return name;
  }
}

function attributeOf(name: string, value: number | readonly number[]): AttributeProto {
  const { INT, INTS } = AttributeProto_AttributeType;
  return typeof value === 'number'
    ? create(AttributeProtoSchema, { name, type: INT, i: BigInt(value) })
    : create(AttributeProtoSchema, { name, type: INTS, ints: value.map(BigInt) });
}

function valueInfo({ name, type, dims }: Value): ValueInfoProto {
  const dim = dims.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof size === 'number' ? { case: 'dimValue', value: BigInt(size) } : { case: 'dimParam', value: size },
    }),
  );
  const elemType = type === 'float32' ? TensorProto_DataType.FLOAT : TensorProto_DataType.INT64;
  const tensor = create(TypeProto_TensorSchema, { elemType, shape: create(TensorShapeProtoSchema, { dim }) });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } }),
  });
}
