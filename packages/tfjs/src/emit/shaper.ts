import type { Axis, GraphValue, Size } from './graph-value.js';
import { apart, axisSize, sameAxes } from './graph-value.js';
import type { NodeBuilder } from './node-builder.js';

/** A value of the model that has an open size, and the axes whose product it is. */
interface SizeSource {
  readonly value: string;
  readonly axes: readonly number[];
}

/** Brings values to the axes that operations need, with as few nodes as that takes. */
export class Shaper {
  private readonly sources = new Map<string, SizeSource>();
  private readonly shapes = new Map<string, string>();
  private readonly sizes = new Map<string, string>();
  private readonly targets = new Map<string, string>();

  constructor(private readonly builder: NodeBuilder) {}

  /** Says where a run can read an open size; the first source of a size stays. */
  learn(size: string, value: string, axes: readonly number[]): void {
    if (!this.sources.has(size)) this.sources.set(size, { value, axes });
  }

  /** Name of the value with these axes, reshaped where it has others. */
  shaped({ name, axes: own }: GraphValue, axes: readonly Axis[]): string {
    if (sameAxes(own, axes)) return name;
    return this.builder.node('Reshape', [name, this.target(axes)], {});
  }

  /** Name of the value with every one of its sizes an axis of its own. */
  spread(value: GraphValue): string {
    return this.shaped(value, apart(value.dims));
  }

  /** The list of sizes that a reshape takes: one of the open ones is left to it, others are read at run time. */
  private target(axes: readonly Axis[]): string {
    const sizes = axes.map(axisSize);
    const open = sizes.flatMap(({ open }, i) => (open.length > 0 ? [i] : []));
    // What is hardest to read is left to the reshape.
    const left = [...open].sort((a, b) => this.effort(axes[b] as Axis) - this.effort(axes[a] as Axis))[0];
    const parts = sizes.map(({ known, open: names }, i) => {
      if (names.length === 0) return known;
      return i === left ? -1 : this.size(axes[i] as Axis);
    });
    const key = JSON.stringify(parts);
    const target = this.targets.get(key) ?? this.list(parts);
    this.targets.set(key, target);
    return target;
  }

  /** Nodes that reading a size takes; the later of two that take as many. */
  private effort(axis: Axis): number {
    const { known, open } = axisSize(axis);
    if (open.some((name) => !this.sources.has(name))) return Number.POSITIVE_INFINITY;
    return open.length + Number(known !== 1) + (open.some((name) => this.sizes.has(name)) ? 0 : 0.5);
  }

  private list(parts: readonly (number | string)[]): string {
    if (parts.every((part) => typeof part === 'number')) return this.builder.integers(parts);
    const pieces: string[] = [];
    let numbers: number[] = [];
    const flush = () => {
      if (numbers.length > 0) pieces.push(this.builder.integers(numbers));
      numbers = [];
    };
    for (const part of parts) {
      if (typeof part === 'number') numbers.push(part);
      else {
        flush();
        pieces.push(part);
      }
    }
    flush();
    return this.builder.node('ConcatV2', [...pieces, this.builder.integers(0)], { N: pieces.length }, 'DT_INT32');
  }

  /** A list of one number: the size of an axis, read at run time. */
  private size(axis: Axis): string {
    const { known, open } = axisSize(axis);
    const factors = open.map((name) => this.openSize(name));
    if (known !== 1) factors.push(this.builder.integers([known]));
    return factors.reduce((product, factor) => this.builder.node('Mul', [product, factor], {}, 'DT_INT32'));
  }

  private openSize(name: Size & string): string {
    const known = this.sizes.get(name);
    if (known !== undefined) return known;
    const source = this.sources.get(name);
    if (!source) throw new TypeError(`nothing tells the size ${name}`);
    const shape = this.shapes.get(source.value) ?? this.builder.node('Shape', [source.value], {});
    this.shapes.set(source.value, shape);
    const size = this.read(shape, source.axes);
    this.sizes.set(name, size);
    return size;
  }

  private read(shape: string, axes: readonly number[]): string {
    const { builder } = this;
    const [first = 0] = axes;
    if (axes.length === 1) {
      const [begin, end, step] = [[first], [first + 1], [1]].map((list) => builder.integers(list));
      return builder.node('StridedSlice', [shape, begin, end, step] as string[], {}, 'DT_INT32');
    }
    const sizes = builder.node('GatherV2', [shape, builder.integers(axes), builder.integers(0)], {}, 'DT_INT32');
    const product = builder.node('Prod', [sizes, builder.integers([0])], {}, 'DT_INT32');
    // Not by keep_dims, which the backend webgpu forgets for numbers that it has at hand.
    return builder.node('Reshape', [product, builder.integers([1])], {}, 'DT_INT32');
  }
}
