import type { Evaluated, Evaluation } from './evaluate.js';
import { evaluateOutput, isComputable, LARGEST_FOLLOWED } from './evaluate.js';
import { elementCount, layoutOf, movesElements } from './layout.js';
import { Refusal } from './refusal.js';
import type { GraphView, ViewNode } from './view.js';

/** Longest chain of constant expressions that is computed: deeper ones are not weights. */
const DEEPEST_CONSTANT = 64;

/** How far back the cause of an unknown size is looked for. */
const LONGEST_SEARCH = 10_000;

/** As many moves before a value's size is asked for are followed. */
const LONGEST_MOVE = 4;

/** One graph at one probe, with the questions that the finder's steps ask of it. */
export class Inquiry {
  private readonly producers = new Map<string, ViewNode>();
  private readonly sizeReaders = new Map<ViewNode, boolean>();
  private readonly consumersOf = new Map<string, ViewNode[]>();
  private readonly outputs: ReadonlySet<string>;

  constructor(
    readonly view: GraphView,
    private readonly evaluation: Evaluation,
  ) {
    for (const node of view.nodes) {
      for (const output of node.outputs) if (output) this.producers.set(output, node);
      for (const input of new Set(node.inputs)) {
        const consumers = this.consumersOf.get(input);
        if (consumers) consumers.push(node);
        else this.consumersOf.set(input, [node]);
      }
    }
    this.outputs = new Set(view.outputs);
  }

  producer(id: string): ViewNode | undefined {
    return this.producers.get(id);
  }

  /** Nodes that read a value's elements; those that only ask for its size are left out. */
  readers(id: string): readonly ViewNode[] {
    return this.consumers(id).filter((node) => !this.asksForSize(node, 0));
  }

  /** Whether a node, or all that its result is moved to, only asks for a size. */
  private asksForSize(node: ViewNode, depth: number): boolean {
    const known = this.sizeReaders.get(node);
    if (known !== undefined) return known;
    // Until it is known: what asks for its own size in a circle reads nothing.
    this.sizeReaders.set(node, false);
    const answer = this.findOutSize(node, depth);
    this.sizeReaders.set(node, answer);
    return answer;
  }

  private findOutSize(node: ViewNode, depth: number): boolean {
    if (node.operator.kind === 'shape' || node.operator.kind === 'size') return true;
    if (!movesElements(node) || depth > LONGEST_MOVE || node.outputs.some((output) => this.isOutput(output)))
      return false;
    const next = node.outputs.flatMap((output) => this.consumers(output));
    return next.length > 0 && next.every((reader) => this.asksForSize(reader, depth + 1));
  }

  /** Nodes that read a value in any way. */
  consumers(id: string): readonly ViewNode[] {
    return this.consumersOf.get(id) ?? [];
  }

  isOutput(id: string): boolean {
    return this.outputs.has(id);
  }

  value(id: string): Evaluated | undefined {
    return this.evaluation.get(id);
  }

  /** Sizes of a value, or a refusal where they can't be told or are too large to follow. */
  dims(id: string): readonly number[] {
    const dims = this.evaluation.get(id)?.dims;
    const nodes = sources(this.producer(id));
    if (!dims) {
      const unknown = this.firstUnknown(id);
      const from = unknown && unknown !== nodes[0] ? `; it is lost at ${unknown}` : '';
      throw new Refusal(`the size of ${quoted(id)} cannot be told from the graph${from}`, nodes, 'size');
    }
    if (!dims.every((dim) => dim >= 0) || elementCount(dims) > LARGEST_FOLLOWED) {
      throw new Refusal(tooLarge(id, dims), nodes, 'size');
    }
    return dims;
  }

  /** The node where the size of a value is lost: it has none although its inputs have. */
  private firstUnknown(id: string): string | undefined {
    let at = id;
    for (let depth = 0; depth < LONGEST_SEARCH; depth++) {
      const node = this.producer(at);
      const before = node?.inputs.find((input) => input && !this.evaluation.has(input));
      if (!before) return node?.source;
      at = before;
    }
    return undefined;
  }

  isFixed(id: string): boolean {
    return this.evaluation.get(id)?.fixed === true;
  }

  /** Whether a value depends on a size of an input. */
  isSized(id: string): boolean {
    return this.evaluation.get(id)?.sized === true;
  }

  /** All numbers of a value that depends on constants and sizes alone, however large. */
  constant(id: string): Float64Array | undefined {
    if (!this.isFixed(id)) return undefined;
    const known = this.evaluation.get(id)?.numbers;
    if (known) return known;
    const computed = new Map<string, Evaluated | undefined>();
    const compute = (value: string, depth: number): Evaluated | undefined => {
      if (computed.has(value)) return computed.get(value);
      const node = this.producer(value);
      if (!node || depth > DEEPEST_CONSTANT || !this.isFixed(value)) return undefined;
      const evaluated = this.evaluation.get(value);
      if (evaluated?.numbers) return evaluated;
      const place = node.outputs.indexOf(value);
      const result = evaluateOutput(node, place, (id) => compute(id, depth + 1), LARGEST_CONSTANT);
      computed.set(value, result);
      return result;
    };
    return compute(id, 0)?.numbers;
  }

  /** Refuses a weight that no constant expression of known operators gives: a quantised one, say. */
  checkReadable(id: string): void {
    const seen = new Set<string>();
    const open = [id];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const node = this.producer(at);
      if (!node || seen.has(at)) continue;
      seen.add(at);
      const { operator } = node;
      const unknown = operator.kind === 'opaque' || (operator.kind === 'unary' && !isComputable(operator));
      if (unknown) {
        throw new Refusal(`its weight ${quoted(id)} is computed by ${node.source} (${operator.name})`, sources(node));
      }
      open.push(...node.inputs.filter((input) => input !== ''));
    }
  }

  /** Numbers that scale or shift: constants, and single numbers computed from sizes (`sqrt` of the head size, say). */
  coefficients(id: string): { readonly dims: readonly number[]; readonly numbers: Float64Array } | undefined {
    const value = this.evaluation.get(id);
    if (!value) return undefined;
    if (elementCount(value.dims) > LARGEST_FOLLOWED) return undefined;
    const single = elementCount(value.dims) === 1 ? value.numbers : undefined;
    const numbers = single ?? this.constant(id);
    return numbers && { dims: value.dims, numbers };
  }

  /** Where a moving node takes each element of its output from; a refusal where its operands are unknown. */
  layout(node: ViewNode, output: string) {
    const dims = this.dims(node.inputs[0] ?? '');
    const numbers = (place: number) => {
      const values = this.evaluation.get(node.inputs[place] ?? '')?.numbers;
      return values && Array.from(values);
    };
    const indexDims = this.evaluation.get(node.inputs[1] ?? '')?.dims;
    const layout = movesElements(node)
      ? layoutOf(node, node.outputs.indexOf(output), dims, numbers, indexDims)
      : undefined;
    if (!layout) {
      throw new Refusal(`the layout after ${node.source} cannot be told from the graph`, [node.source], 'size');
    }
    if (elementCount(layout.dims) > LARGEST_FOLLOWED) {
      throw new Refusal(tooLarge(output, layout.dims), [node.source], 'size');
    }
    return layout;
  }
}

/** Weights of up to 2^28 elements (1 GB in float32) are read. */
const LARGEST_CONSTANT = 2 ** 28;

function tooLarge(id: string, dims: readonly number[]): string {
  const size = `${quoted(id)} of size [${dims.join(', ')}]`;
  return dims.every((dim) => dim >= 0)
    ? `${size} is too large to follow: ${elementCount(dims)} elements, at most ${LARGEST_FOLLOWED} are followed; shorter fixed sizes can be`
    : `${size} has no size`;
}

export function quoted(id: string): string {
  return `"${id}"`;
}

/** Names of the model's nodes behind view nodes, each once. */
export function sources(...nodes: readonly (ViewNode | undefined)[]): string[] {
  return [...new Set(nodes.flatMap((node) => (node ? [node.source] : [])))];
}
