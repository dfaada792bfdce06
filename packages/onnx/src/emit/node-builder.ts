import { create } from '@bufbuild/protobuf';
import type { AttributeProto, NodeProto, TensorProto } from 'onnx-buf';
import { AttributeProto_AttributeType, AttributeProtoSchema, NodeProtoSchema } from 'onnx-buf';
import { edit } from '../graph/edit.js';
import type { FreshNames } from '../graph/fresh-names.js';
import type { FloatDtype } from '../tensor/dtype.js';
import { encodeTensor } from '../tensor/encode-tensor.js';

/** Values of attributes that new nodes need: whole numbers and lists of them. */
export type Attributes = Readonly<Record<string, number | readonly number[]>>;

/** What the new nodes have to fit: the model's own operator set and file version, and the type it computes in. */
export interface EmitTarget {
  readonly opset: number;
  readonly irVersion: number;
  readonly dtype: FloatDtype;
  readonly freshNames: FreshNames;
  /** Start of the new names. */
  readonly prefix: string;
}

/** Collects new nodes and constants. Values are known by name. */
export class NodeBuilder {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];

  constructor(readonly target: EmitTarget) {}

  /** A node with one output; returns its name. */
  node(opType: string, input: readonly string[], attributes: Attributes = {}): string {
    return this.nodeOf(opType, input, 1, attributes)[0] as string;
  }

  /** A node with several outputs. */
  nodeOf(opType: string, input: readonly string[], outputs: number, attributes: Attributes = {}): string[] {
    const { freshNames, prefix } = this.target;
    const name = freshNames(`${prefix}/${opType}`);
    const output = Array.from({ length: outputs }, (_, i) =>
      freshNames(outputs === 1 ? `${name}_output` : `${name}_output_${i}`),
    );
    this.nodes.push(
      create(NodeProtoSchema, { name, opType, input: [...input], output, attribute: attributesOf(attributes) }),
    );
    return output;
  }

  /** A constant of the type the model computes in. */
  float(values: Float64Array, dims: readonly number[], wish = 'weight'): string {
    const name = this.target.freshNames(`${this.target.prefix}/${wish}`);
    return this.constant(encodeTensor(name, this.target.dtype, dims, values));
  }

  /** One number in float32, whatever the model computes in. */
  float32(value: number): string {
    const name = this.target.freshNames(`${this.target.prefix}/number`);
    return this.constant(encodeTensor(name, 'float32', [], Float64Array.of(value)));
  }

  /** A list of 64-bit integers. */
  integers(values: readonly number[], wish = 'list'): string {
    const name = this.target.freshNames(`${this.target.prefix}/${wish}`);
    return this.constant(encodeTensor(name, 'int64', [values.length], BigInt64Array.from(values, BigInt)));
  }

  /** Gives what a new node makes another name: the one that the rest of the graph reads. */
  rename(from: string, to: string): void {
    for (const [i, node] of this.nodes.entries()) {
      const rename = (names: readonly string[]) => names.map((name) => (name === from ? to : name));
      this.nodes[i] = edit(node, { input: rename(node.input), output: rename(node.output) });
    }
  }

  private constant(tensor: TensorProto): string {
    // Before IR version 4 an initialiser had to be an input as well, which callers would see.
    if (this.target.irVersion >= 4) {
      this.initializers.push(tensor);
      return tensor.name;
    }
    const attribute = create(AttributeProtoSchema, {
      name: 'value',
      type: AttributeProto_AttributeType.TENSOR,
      t: tensor,
    });
    this.nodes.push(
      create(NodeProtoSchema, {
        name: `${tensor.name}/Constant`,
        opType: 'Constant',
        output: [tensor.name],
        attribute: [attribute],
      }),
    );
    return tensor.name;
  }
}

function attributesOf(attributes: Attributes): AttributeProto[] {
  return Object.entries(attributes).map(([name, value]) =>
    typeof value === 'number'
      ? create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) })
      : create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) }),
  );
}
