import type { Operator, ViewNode } from '@mhe/core';

/** Collects the view nodes that stand for one use of a layer, or for the same step of several heads. */
export class ViewWriter {
  readonly nodes: ViewNode[] = [];

  /** @param source - name of what the nodes stand for. */
  constructor(readonly source: string) {}

  /** Adds a node with one output; returns the output. */
  node(operator: Operator, inputs: readonly string[]): string {
    // No layer's name holds a NUL.
    const output = `${this.source}\u0000${this.nodes.length}`;
    this.nodes.push({ operator, inputs, outputs: [output], source: this.source });
    return output;
  }

  /** Adds numbers of a weight. */
  weight(dims: readonly number[], read: () => Float64Array): string {
    return this.node({ kind: 'constant', dims, type: 'float', read }, []);
  }

  /** Adds one number. */
  number(value: number): string {
    return this.weight([], () => Float64Array.of(value));
  }

  /** Adds whole numbers: axes or sizes. */
  sizes(values: readonly number[]): string {
    const read = () => Float64Array.from(values);
    return this.node({ kind: 'constant', dims: [values.length], type: 'integer', read }, []);
  }

  /** An axis of size 1 put in. */
  unsqueeze(value: string, axis: number): string {
    return this.node({ kind: 'unsqueeze' }, [value, this.sizes([axis])]);
  }

  /** Gives a value a name that the rest of the view reads. */
  name(value: string, name: string): void {
    const made = this.nodes.findIndex(({ outputs }) => outputs[0] === value);
    if (made < 0) {
      this.nodes.push({ operator: { kind: 'identity' }, inputs: [value], outputs: [name], source: this.source });
      return;
    }
    const renamed = (id: string) => (id === value ? name : id);
    this.nodes.forEach((node, i) => {
      this.nodes[i] = { ...node, inputs: node.inputs.map(renamed), outputs: node.outputs.map(renamed) };
    });
  }
}
