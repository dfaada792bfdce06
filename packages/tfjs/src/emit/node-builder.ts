import { encodeFloats, encodeIntegers, type StoredType } from '../file/encode-weight.js';
import type { StoredWeight } from '../file/model.js';
import type { FreshNames } from '../graph-model/fresh-names.js';
import type { AttrValue, NodeDef } from '../graph-model/node-def.js';
import { nodeOfValue } from '../graph-model/node-def.js';

/** Attributes that new nodes need, in plain values: whole numbers, truths, texts of operators. */
export type Attributes = Readonly<Record<string, number | boolean | readonly string[]>>;

/** What the new nodes have to fit. */
export interface EmitTarget {
  readonly freshNames: FreshNames;
  /** Start of the new names. */
  readonly prefix: string;
  /** How new matrices are stored: as those whose place they take. */
  readonly stored: StoredType;
}

/** TensorFlow's names of the types that new nodes compute in. */
type DataType = 'DT_FLOAT' | 'DT_INT32' | 'DT_BOOL';

/** Collects new nodes and weights. Values are known by name. */
export class NodeBuilder {
  readonly nodes: NodeDef[] = [];
  readonly weights: StoredWeight[] = [];
  private readonly lists = new Map<string, string>();

  constructor(readonly target: EmitTarget) {}

  /** A node; returns its name, which is that of its first output. */
  node(op: string, input: readonly string[], attributes: Attributes = {}, type: DataType = 'DT_FLOAT'): string {
    const name = this.target.freshNames(`${this.target.prefix}/${op}`);
    this.nodes.push({ name, op, input, attr: { T: { type }, ...attributesOf(attributes) } });
    return name;
  }

  /** A weight of floating-point numbers. Matrices are stored as the target says, vectors in float32. */
  floats(values: Float64Array, dims: readonly number[], wish = 'weight'): string {
    const stored = dims.filter((dim) => dim > 1).length > 1 ? this.target.stored : null;
    const name = this.target.freshNames(`${this.target.prefix}/${wish}`);
    return this.constant(encodeFloats(name, dims, values, stored), 'DT_FLOAT');
  }

  /** A list of whole numbers, or one of them; the same ones twice give one weight. */
  integers(values: readonly number[] | number): string {
    const key = JSON.stringify(values);
    const known = this.lists.get(key);
    if (known !== undefined) return known;
    const name = this.target.freshNames(`${this.target.prefix}/${typeof values === 'number' ? 'number' : 'list'}`);
    const [dims, list] = typeof values === 'number' ? [[], [values]] : [[values.length], values];
    this.lists.set(key, this.constant(encodeIntegers(name, dims, list), 'DT_INT32'));
    return name;
  }

  /** Gives a new node another name: the one that the rest of the graph reads. */
  rename(from: string, to: string): void {
    for (const [i, node] of this.nodes.entries()) {
      const input = node.input?.map((name) => renamed(name, from, to)) ?? [];
      this.nodes[i] = { ...node, name: node.name === from ? to : node.name, input };
    }
  }

  /** Whether a value is made by a new node that computes. */
  isComputed(name: string): boolean {
    return this.nodes.some((node) => node.name === name && node.op !== 'Const');
  }

  private constant(weight: StoredWeight, dtype: DataType): string {
    const { name, shape } = weight.spec;
    const tensorShape = { dim: shape.map((size) => ({ size: String(size) })) };
    this.weights.push(weight);
    this.nodes.push({ name, op: 'Const', attr: { dtype: { type: dtype }, value: { tensor: { dtype, tensorShape } } } });
    return name;
  }
}

/** A value's name after its node was renamed. */
function renamed(value: string, from: string, to: string): string {
  return nodeOfValue(value) === from ? `${to}${value.slice(from.length)}` : value;
}

/** Attributes in JSON. */
function attributesOf(attributes: Attributes): Record<string, AttrValue> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => {
      if (typeof value === 'boolean') return [name, { b: value }];
      return [
        name,
        typeof value === 'number' ? { i: String(value) } : { list: { s: value.map((text) => btoa(text)) } },
      ];
    }),
  );
}
