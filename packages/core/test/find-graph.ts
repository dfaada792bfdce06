// Graphs made by hand for the finder, in the terms of its view.
import type { BinaryName, Dimension, GraphView, Operator, ViewInput, ViewNode } from '@mhe/core';

/** Collects the nodes of a graph; values are known by name. */
export class ViewGraph {
  readonly nodes: ViewNode[] = [];
  readonly inputs: ViewInput[] = [];
  readonly outputs: string[] = [];
  readonly declared = new Map<string, readonly Dimension[]>();
  private count = 0;

  input(id: string, dims: readonly Dimension[], type: ViewInput['type'] = 'float'): string {
    this.inputs.push({ id, dims, type });
    return id;
  }

  /** A node with one output, named after what it does. */
  op(operator: Operator, ...inputs: string[]): string {
    return this.ops(operator, inputs, 1)[0] as string;
  }

  ops(operator: Operator, inputs: readonly string[], outputs: number): string[] {
    const source = `${operator.kind}${this.count++}`;
    const names = Array.from({ length: outputs }, (_, i) => (outputs === 1 ? source : `${source}.${i}`));
    this.nodes.push({ operator, inputs, outputs: names, source });
    return names;
  }

  constant(data: ArrayLike<number>, dims: readonly number[], type: 'float' | 'integer' | 'boolean' = 'float'): string {
    return this.op({ kind: 'constant', dims, type, read: () => Float64Array.from(data) });
  }

  scalar(value: number): string {
    return this.constant([value], []);
  }

  list(...values: number[]): string {
    return this.constant(values, [values.length], 'integer');
  }

  matmul(a: string, b: string): string {
    return this.op({ kind: 'matmul', transposeA: false, transposeB: false }, a, b);
  }

  binary(name: BinaryName, a: string, b: string): string {
    return this.op({ kind: 'binary', name }, a, b);
  }

  reshape(value: string, ...target: number[]): string {
    return this.op({ kind: 'reshape', zeroIsSize: false }, value, this.list(...target));
  }

  transpose(value: string, ...permutation: number[]): string {
    return this.op({ kind: 'transpose', permutation }, value);
  }

  softmax(value: string, axis = -1): string {
    return this.op({ kind: 'softmax', axis, flattened: false }, value);
  }

  view(): GraphView {
    return { nodes: this.nodes, inputs: this.inputs, outputs: this.outputs, declared: this.declared };
  }
}
