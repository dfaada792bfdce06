// One attention block written in any of many ways, as a graph for the finder.
import { type SeededRandom, seededRandom } from '@mhe/core';
import fc from 'fast-check';
import { ViewGraph } from './find-graph.js';
import type { Value } from './find-interpreter.js';

/** How a block is written. */
export interface Style {
  readonly seed: number;
  readonly numHeads: number;
  readonly headDim: number;
  readonly valueHeadDim: number;
  /** Where the batch and the tokens are in what is projected. */
  readonly streams: 'batch first' | 'length first' | 'flattened' | 'channels first';
  readonly kind: 'self' | 'cross' | 'three streams';
  /** Order of the columns where one projection makes queries, keys and values of one stream. */
  readonly packing: 'separate' | 'split' | 'three, heads' | 'heads, three' | 'heads, features, three';
  readonly cut: 'gather' | 'slice' | 'split';
  readonly heads: 'own axis' | 'batch first' | 'heads first';
  readonly order: 'queries first' | 'keys first' | 'einsum';
  readonly scale: 'none' | 'product' | 'divisor' | 'queries' | 'both' | 'from the size';
  readonly bias: 'none' | 'before' | 'after';
  readonly mask: 'none' | 'additive' | 'boolean' | 'per-head bias';
  readonly guard: boolean;
  readonly output: 'merged' | 'einsum' | 'features first' | 'flattened';
}

export const styles: fc.Arbitrary<Style> = fc
  .record({
    seed: fc.nat(1e6),
    numHeads: fc.integer({ min: 1, max: 3 }),
    headDim: fc.integer({ min: 1, max: 4 }),
    valueHeadDim: fc.integer({ min: 1, max: 4 }),
    streams: fc.constantFrom('batch first', 'length first', 'flattened', 'channels first'),
    kind: fc.constantFrom('self', 'cross', 'three streams'),
    packing: fc.constantFrom('separate', 'split', 'three, heads', 'heads, three', 'heads, features, three'),
    cut: fc.constantFrom('gather', 'slice', 'split'),
    heads: fc.constantFrom('own axis', 'batch first', 'heads first'),
    order: fc.constantFrom('queries first', 'keys first', 'einsum'),
    scale: fc.constantFrom('none', 'product', 'divisor', 'queries', 'both', 'from the size'),
    bias: fc.constantFrom('none', 'before', 'after'),
    mask: fc.constantFrom('none', 'additive', 'boolean', 'per-head bias'),
    guard: fc.boolean(),
    output: fc.constantFrom('merged', 'einsum', 'features first', 'flattened'),
  } as const)
  .map((style) => (style.kind === 'self' ? style : { ...style, packing: 'separate' as const }))
  .map((style) => (style.packing === 'separate' ? style : { ...style, valueHeadDim: style.headDim }));

/** Widths of the streams and of the output. */
export const widths = { query: 5, key: 6, value: 7, output: 8 } as const;

type Role = 'query' | 'key' | 'value';

/** Which stream each operand is projected from. */
export function streamOfRole(style: Style): Readonly<Record<Role, Role>> {
  if (style.kind === 'self') return { query: 'query', key: 'query', value: 'query' };
  return { query: 'query', key: 'key', value: style.kind === 'cross' ? 'key' : 'value' };
}

/** Builds the graph; its last node makes the output, `[batch, queries, output]` or the stream's own layout of it. */
export function blockGraph(style: Style): ViewGraph {
  return new Block(style).graph;
}

/** The factor of the scores that the style's steps make, all together. */
export function totalScale(style: Style): number {
  if (style.scale === 'none') return 1;
  return style.scale === 'from the size' ? 1 / Math.sqrt(style.headDim) : 0.5;
}

class Block {
  readonly graph = new ViewGraph();
  private readonly random: SeededRandom;
  private readonly inputs = new Map<Role, string>();

  constructor(private readonly style: Style) {
    this.random = seededRandom(style.seed);
    const [query, key, value] = this.operands();
    const context = this.attend(query, key, value);
    this.graph.outputs.push(this.project(context));
  }

  private weight(...dims: number[]): string {
    const size = dims.reduce((product, dim) => product * dim, 1);
    return this.graph.constant(Float64Array.from({ length: size }, this.random.normal), dims);
  }

  private stream(role: Role): string {
    const of = streamOfRole(this.style)[role];
    const known = this.inputs.get(of);
    if (known !== undefined) return known;
    const length = of === 'query' ? 'length' : 'keys';
    const dims = {
      'batch first': ['batch', length, widths[of]],
      flattened: ['batch', length, widths[of]],
      'length first': [length, 'batch', widths[of]],
      'channels first': ['batch', widths[of], length],
    }[this.style.streams];
    const input = this.graph.input(of, dims);
    this.inputs.set(of, input);
    return input;
  }

  /** A stream projected to so many columns, `[batch, length, columns]`. */
  private wide(role: Role, columns: number): string {
    const { graph, style } = this;
    const stream = this.stream(role);
    const inner = widths[streamOfRole(style)[role]];
    const biased = (value: string, ...dims: number[]) =>
      style.bias === 'before' ? graph.binary('add', this.weight(...dims), value) : value;
    switch (style.streams) {
      case 'batch first':
        return biased(graph.matmul(stream, this.weight(inner, columns)), columns);
      case 'length first':
        return graph.transpose(biased(graph.matmul(stream, this.weight(inner, columns)), columns), 1, 0, 2);
      case 'channels first': {
        const product = graph.op({ kind: 'pointwise' }, stream, this.weight(columns, inner, 1));
        return graph.transpose(biased(product, columns, 1), 0, 2, 1);
      }
      case 'flattened': {
        const rows = graph.reshape(stream, -1, inner);
        const product = graph.op(
          { kind: 'matmul', transposeA: false, transposeB: true },
          rows,
          this.weight(columns, inner),
        );
        const lead = graph.op({ kind: 'shape', start: 0, end: 2 }, stream);
        const target = graph.op({ kind: 'concat', axis: 0 }, lead, graph.list(columns));
        return graph.op({ kind: 'reshape', zeroIsSize: false }, biased(product, columns), target);
      }
    }
  }

  /** Queries, keys and values as `[batch, heads, length, features]`. */
  private operands(): readonly [string, string, string] {
    const { graph, style } = this;
    const { numHeads: n, headDim: d, valueHeadDim: dv } = style;
    const apart = (value: string, size: number) => graph.transpose(graph.reshape(value, 0, 0, n, size), 0, 2, 1, 3);
    const biased = (value: string, size: number) =>
      style.bias === 'after' ? graph.binary('add', value, this.weight(n, 1, size)) : value;
    if (style.packing === 'separate') {
      const made = (role: Role, size: number) => biased(apart(this.wide(role, n * size), size), size);
      return [made('query', d), made('key', d), made('value', dv)];
    }
    const wide = this.wide('query', 3 * n * d);
    const three = this.thirds(wide);
    return [biased(three[0] as string, d), biased(three[1] as string, d), biased(three[2] as string, d)];
  }

  private thirds(wide: string): string[] {
    const { graph, style } = this;
    const { numHeads: n, headDim: d } = style;
    switch (style.packing) {
      case 'three, heads':
        return this.pick(graph.transpose(graph.reshape(wide, 0, 0, 3, n, d), 2, 0, 3, 1, 4), 0);
      case 'heads, three':
        return this.pick(graph.reshape(wide, 0, 0, n, 3, d), 3).map((part) => graph.transpose(part, 0, 2, 1, 3));
      case 'heads, features, three':
        return this.pick(graph.reshape(wide, 0, 0, n, d, 3), 4).map((part) => graph.transpose(part, 0, 2, 1, 3));
      default:
        return graph
          .ops({ kind: 'split', axis: 2 }, [wide], 3)
          .map((part) => graph.transpose(graph.reshape(part, 0, 0, n, d), 0, 2, 1, 3));
    }
  }

  /** The three places of an axis, which goes away. */
  private pick(value: string, axis: number): string[] {
    const { graph, style } = this;
    if (style.cut === 'gather') {
      return [0, 1, 2].map((i) => graph.op({ kind: 'gather', axis }, value, graph.constant([i], [], 'integer')));
    }
    const parts =
      style.cut === 'split'
        ? graph.ops({ kind: 'split', axis }, [value], 3)
        : [0, 1, 2].map((i) => graph.op({ kind: 'slice' }, value, graph.list(i), graph.list(i + 1), graph.list(axis)));
    return parts.map((part) => graph.op({ kind: 'squeeze' }, part, graph.list(axis)));
  }

  /** The heads' outputs, `[batch, heads, queries, features]`. */
  private attend(query: string, key: string, value: string): string {
    const { graph, style } = this;
    let [q, k] = [query, key];
    if (style.scale === 'queries') q = graph.binary('mul', q, graph.scalar(0.5));
    if (style.scale === 'both')
      [q, k] = [q, k].map((operand) => graph.binary('mul', operand, graph.scalar(Math.SQRT1_2))) as [string, string];
    const headsOut = style.heads !== 'own axis';
    const sizes = graph.op(
      { kind: 'shape', start: 0, end: 2 },
      style.heads === 'heads first' ? graph.transpose(q, 1, 0, 2, 3) : q,
    );
    const [left, right, weighted] = headsOut ? [this.merge(q), this.merge(k), this.merge(value)] : [q, k, value];
    const keysFirst = style.order === 'keys first';
    const lead = headsOut ? 'x' : 'bh';
    const last = headsOut ? [0, 2, 1] : [0, 1, 3, 2];
    let scores = keysFirst
      ? graph.matmul(right, graph.transpose(left, ...last))
      : style.order === 'einsum'
        ? graph.op({ kind: 'einsum', equation: `${lead}qd,${lead}kd->${lead}qk` }, left, right)
        : graph.matmul(left, graph.transpose(right, ...last));
    scores = this.scaled(scores, q);
    if (style.mask !== 'none' && headsOut) {
      const tail = this.tail(keysFirst ? [right, left] : [left, right]);
      scores = this.merge(this.masked(this.split(scores, sizes, tail)), tail);
    } else if (style.mask !== 'none') scores = this.masked(scores);
    let probabilities = graph.softmax(scores, keysFirst ? -2 : -1);
    if (style.guard) {
      const bad = graph.op({ kind: 'unary', name: 'isnan' }, probabilities);
      probabilities = graph.op({ kind: 'where' }, bad, graph.scalar(0), probabilities);
    }
    const context = keysFirst
      ? graph.transpose(graph.matmul(graph.transpose(weighted, ...last), probabilities), ...last)
      : style.order === 'einsum'
        ? graph.op({ kind: 'einsum', equation: `${lead}qk,${lead}kd->${lead}qd` }, probabilities, weighted)
        : graph.matmul(probabilities, weighted);
    if (!headsOut) return context;
    const size = graph.op({ kind: 'shape', start: 2, end: 3 }, weighted);
    return this.split(context, sizes, graph.op({ kind: 'concat', axis: 0 }, this.tail([left]), size));
  }

  private scaled(scores: string, query: string): string {
    const { graph, style } = this;
    switch (style.scale) {
      case 'product':
        return graph.binary('mul', graph.scalar(0.5), scores);
      case 'divisor':
        return graph.binary('div', scores, graph.constant([2], [1]));
      case 'from the size': {
        const size = graph.op({ kind: 'cast', to: 'float' }, graph.op({ kind: 'shape', start: -1, end: null }, query));
        return graph.binary('div', scores, graph.op({ kind: 'unary', name: 'sqrt' }, size));
      }
      default:
        return scores;
    }
  }

  /** Lengths of operands whose heads are merged with the batch, as a list. */
  private tail(operands: readonly string[]): string {
    const { graph } = this;
    const lengths = operands.map((operand) => graph.op({ kind: 'shape', start: 1, end: 2 }, operand));
    return graph.op({ kind: 'concat', axis: 0 }, ...lengths);
  }

  /** `[batch, heads, ...tail]` with its first two axes as one. */
  private merge(value: string, tail?: string): string {
    const { graph, style } = this;
    const ordered = style.heads === 'heads first' ? graph.transpose(value, 1, 0, 2, 3) : value;
    const rest = tail ?? graph.op({ kind: 'shape', start: 2, end: null }, ordered);
    const target = graph.op({ kind: 'concat', axis: 0 }, graph.list(-1), rest);
    return graph.op({ kind: 'reshape', zeroIsSize: false }, ordered, target);
  }

  /** What `merge` undid. */
  private split(value: string, sizes: string, tail: string): string {
    const { graph, style } = this;
    const target = graph.op({ kind: 'concat', axis: 0 }, sizes, tail);
    const apart = graph.op({ kind: 'reshape', zeroIsSize: false }, value, target);
    return style.heads === 'heads first' ? graph.transpose(apart, 1, 0, 2, 3) : apart;
  }

  /** Scores `[batch, heads, queries, keys]` (keys and queries the other way round where keys come first). */
  private masked(scores: string): string {
    const { graph, style } = this;
    const keys = style.kind === 'self' ? 'length' : 'keys';
    const tokens = style.order === 'keys first' ? [keys, 1] : [1, keys];
    switch (style.mask) {
      case 'additive':
        return graph.binary('add', scores, graph.input('mask', ['batch', 1, ...tokens]));
      case 'boolean':
        return graph.op(
          { kind: 'where' },
          graph.input('mask', ['batch', 1, ...tokens], 'boolean'),
          scores,
          graph.scalar(-1e30),
        );
      default:
        return graph.binary('add', graph.input('mask', [style.numHeads, ...tokens]), scores);
    }
  }

  private project(context: string): string {
    const { graph, style } = this;
    const { numHeads: n, valueHeadDim: dv } = style;
    const bias = (value: string) =>
      style.bias === 'none' ? value : graph.binary('add', value, this.weight(widths.output));
    switch (style.output) {
      case 'einsum':
        return bias(
          graph.op({ kind: 'einsum', equation: 'bhqd,hdo->bqo' }, context, this.weight(n, dv, widths.output)),
        );
      case 'merged': {
        const merged = graph.reshape(graph.transpose(context, 0, 2, 1, 3), 0, 0, n * dv);
        return bias(graph.matmul(merged, this.weight(n * dv, widths.output)));
      }
      case 'features first': {
        const merged = graph.reshape(graph.transpose(context, 0, 2, 3, 1), 0, 0, n * dv);
        return bias(graph.matmul(merged, this.weight(n * dv, widths.output)));
      }
      case 'flattened': {
        const merged = graph.reshape(graph.transpose(context, 0, 2, 1, 3), -1, n * dv);
        return bias(graph.matmul(merged, this.weight(n * dv, widths.output)));
      }
    }
  }
}

/** Values for a graph's inputs at these sizes: masks hide a third of the keys, never all. */
export function blockFeeds(
  graph: ViewGraph,
  style: Style,
  sizes: Readonly<Record<string, number>>,
): Record<string, Value> {
  const random = seededRandom(style.seed + 1);
  return Object.fromEntries(
    graph.inputs.map(({ id, dims, type }) => {
      const own = dims.map((dim) => (typeof dim === 'string' ? (sizes[dim] as number) : (dim as number)));
      const size = own.reduce((product, dim) => product * dim, 1);
      const hidden = (i: number) => i % 3 === 1;
      const of = (i: number) => {
        if (type === 'boolean') return hidden(i) ? 0 : 1;
        if (id === 'mask' && style.mask === 'additive') return hidden(i) ? -1e4 : 0;
        return random.normal();
      };
      return [
        id,
        {
          dims: own,
          data: Float64Array.from({ length: size }, (_, i) => of(i)),
          type: type === 'boolean' ? 'boolean' : 'float',
        },
      ];
    }),
  );
}
