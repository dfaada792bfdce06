import { broadcastSource } from './evaluate.js';
import type { Inquiry } from './inquiry.js';
import { quoted, sources } from './inquiry.js';
import { elementCount, movesElements } from './layout.js';
import type { ProjectionProduct } from './projection.js';
import { projectionOf } from './projection.js';
import { Refusal } from './refusal.js';
import type { ViewNode } from './view.js';

/** Longest way from a product back to its projection. */
const LONGEST_TRACE = 48;

/**
 * A value whose every element is a column of one projection, scaled and shifted:
 * `element = gain * (x_row . W_column) + offset`.
 */
export interface ProjectedValue {
  readonly projection: ProjectionProduct;
  readonly dims: readonly number[];
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly gain: Float64Array;
  readonly offset: Float64Array;
  /** Product of the single numbers among the gains. */
  readonly scale: number;
  /** Whether an offset was added on the way. */
  readonly hasBias: boolean;
  /** Nodes from the projection to the value, in order. */
  readonly nodes: readonly ViewNode[];
  /** For each of them, the output that the way goes through. */
  readonly outputs: readonly string[];
}

/**
 * Follows a value back to the projection it comes from, carrying the index of every element through the steps.
 *
 * @param role - what the value is (`query`, `key`, `value`), for the reason of a refusal.
 * @throws Refusal where a step is none of bias, scale or layout.
 */
export function traceProjection(inquiry: Inquiry, id: string, role: string): ProjectedValue {
  const steps: { node: ViewNode; output: string; chain: string }[] = [];
  let at = id;
  let base: ProjectionProduct | undefined;
  while (!base) {
    const node = inquiry.producer(at);
    if (!node) throw new Refusal(`the ${role} is the graph input ${quoted(at)}, not a projection`, sources());
    base = projectionOf(inquiry, node);
    if (base) break;
    if (steps.length === LONGEST_TRACE) {
      throw new Refusal(`no projection within ${LONGEST_TRACE} steps before the ${role}`, sources(node));
    }
    const chain = chainOperand(inquiry, node, role);
    steps.push({ node, output: at, chain });
    at = chain;
  }
  steps.reverse();
  let value: ProjectedValue = {
    projection: base,
    dims: base.outDims,
    rows: base.rows,
    columns: base.columns,
    gain: new Float64Array(base.rows.length).fill(1),
    offset: new Float64Array(base.rows.length),
    scale: 1,
    hasBias: false,
    nodes: [base.node],
    outputs: [at],
  };
  for (const step of steps) {
    const { nodes, outputs } = value;
    value = { ...advance(inquiry, value, step), nodes: [...nodes, step.node], outputs: [...outputs, step.output] };
  }
  return value;
}

/** The operand that the trace goes on with: the only one that is not a coefficient. */
function chainOperand(inquiry: Inquiry, node: ViewNode, role: string): string {
  const [a = '', b = ''] = node.inputs;
  const { operator } = node;
  if (movesElements(node)) {
    if (inquiry.isFixed(a)) throw new Refusal(`the ${role} is constant`, sources(node));
    return a;
  }
  if (operator.kind === 'cast' && operator.to === 'float') return a;
  if (operator.kind === 'unary' && operator.name === 'neg') return a;
  if (operator.kind === 'binary') {
    const known = [inquiry.coefficients(a), inquiry.coefficients(b)];
    const { name } = operator;
    if (known[1] && !known[0] && (name === 'add' || name === 'sub' || name === 'mul' || name === 'div')) return a;
    if (known[0] && !known[1] && (name === 'add' || name === 'sub' || name === 'mul')) return b;
    if (name === 'add' && isScaled(inquiry, a) && isScaled(inquiry, b)) {
      throw new Refusal(`the ${role} is rotated by its position (rotary embedding)`, sources(node));
    }
    throw new Refusal(`the ${role} passes through ${node.source} (${name}) with an operand that is not constant`, [
      node.source,
    ]);
  }
  if (operator.kind === 'concat') {
    const cached = node.inputs.some((input) => !inquiry.producer(input));
    throw new Refusal(
      cached ? `the ${role} is joined to a cache (${node.source})` : `the ${role} is put together by ${node.source}`,
      sources(node),
    );
  }
  if (operator.kind === 'matmul' || operator.kind === 'einsum' || operator.kind === 'pointwise') {
    const why = inquiry.isFixed(a) ? 'of constants' : 'without a constant weight';
    throw new Refusal(`the ${role} comes from a product ${why} (${node.source})`, sources(node));
  }
  if (operator.kind === 'constant') throw new Refusal(`the ${role} is constant`, sources(node));
  const name = operator.kind === 'opaque' || operator.kind === 'unary' ? operator.name : operator.kind;
  throw new Refusal(`the ${role} passes through ${node.source} (${name})`, sources(node));
}

function isScaled(inquiry: Inquiry, id: string): boolean {
  const node = inquiry.producer(id);
  return node?.operator.kind === 'binary' && node.operator.name === 'mul';
}

function advance(
  inquiry: Inquiry,
  value: ProjectedValue,
  step: { readonly node: ViewNode; readonly output: string; readonly chain: string },
): ProjectedValue {
  const { node, output, chain } = step;
  const { operator } = node;
  if (movesElements(node)) {
    const layout = inquiry.layout(node, output);
    return moved(value, layout.dims, layout.source());
  }
  if (operator.kind === 'unary')
    return scaled(
      value,
      value.gain.map(() => -1),
      -1,
    );
  if (operator.kind !== 'binary') return value;
  const chainFirst = node.inputs[0] === chain;
  const other = inquiry.coefficients((chainFirst ? node.inputs[1] : node.inputs[0]) ?? '');
  if (!other) throw new Refusal(`the operand of ${node.source} cannot be read`, sources(node));
  const dims = inquiry.dims(output);
  const spread =
    elementCount(dims) === value.rows.length ? value : moved(value, dims, broadcastSource(value.dims, dims));
  const source = broadcastSource(other.dims, dims);
  const factor = Float64Array.from(source, (from) => other.numbers[from] as number);
  const single = other.numbers.length === 1 ? (other.numbers[0] as number) : 1;
  switch (operator.name) {
    case 'mul':
      return scaled({ ...spread, dims }, factor, single);
    case 'div':
      return scaled(
        { ...spread, dims },
        factor.map((x) => 1 / x),
        1 / single,
      );
    case 'sub': {
      if (chainFirst)
        return shifted(
          { ...spread, dims },
          factor.map((x) => -x),
        );
      return shifted(
        scaled(
          { ...spread, dims },
          factor.map(() => -1),
          -1,
        ),
        factor,
      );
    }
    default:
      return shifted({ ...spread, dims }, factor);
  }
}

function moved(value: ProjectedValue, dims: readonly number[], source: Int32Array): ProjectedValue {
  return {
    ...value,
    dims,
    rows: source.map((from) => value.rows[from] as number),
    columns: source.map((from) => value.columns[from] as number),
    gain: Float64Array.from(source, (from) => value.gain[from] as number),
    offset: Float64Array.from(source, (from) => value.offset[from] as number),
  };
}

function scaled(value: ProjectedValue, factor: Float64Array, single: number): ProjectedValue {
  return {
    ...value,
    gain: value.gain.map((gain, i) => gain * (factor[i] as number)),
    offset: value.offset.map((offset, i) => offset * (factor[i] as number)),
    scale: value.scale * single,
  };
}

function shifted(value: ProjectedValue, by: Float64Array): ProjectedValue {
  return { ...value, hasBias: true, offset: value.offset.map((offset, i) => offset + (by[i] as number)) };
}
