import type { CacheStep } from './cache.js';
import { cacheStep, joinedSource } from './cache.js';
import { broadcastSource } from './evaluate.js';
import type { Inquiry } from './inquiry.js';
import { quoted, sources } from './inquiry.js';
import { elementCount, movesElements, numbersAt, strided, stridesOf } from './layout.js';
import type { NormStep } from './norm.js';
import { normStep } from './norm.js';
import type { ProjectionProduct } from './projection.js';
import { projectionOf } from './projection.js';
import { named, quantisedSource } from './quantised.js';
import { Refusal } from './refusal.js';
import type { Rotation } from './rotation.js';
import { rotationsAt } from './rotation.js';
import { varies } from './varies.js';
import type { ViewNode } from './view.js';

/** Longest way from a product back to its projection. */
const LONGEST_TRACE = 48;

/** Longest way from there to what is kept beside. */
const LONGEST_ASIDE = 4;

/** A rotation by position on the way, one entry for every element of the value; -1 for what it does not touch. */
export interface TracedTurn {
  readonly cos: string;
  readonly sin: string;
  readonly cosAt: Int32Array;
  readonly sinAt: Int32Array;
  readonly sign: Int32Array;
  /** Column of the other element of the plane. */
  readonly partner: Int32Array;
  readonly nodes: readonly ViewNode[];
}

/** A normalisation on the way, over columns of the projection: `gain * normalised + offset` comes out of it. */
export interface TracedNorm {
  readonly epsilon: number;
  readonly centred: boolean;
  /** For each column, a number that those have that are normalised together. */
  readonly setOf: ReadonlyMap<number, number>;
  /** One entry for every element of the value. */
  readonly gain: Float64Array;
  readonly offset: Float64Array;
  readonly nodes: readonly ViewNode[];
}

/** A cache on the way: what was joined to it, as it lay there; or what is kept as it is, and joined to nothing. */
export interface TracedCache {
  readonly node: ViewNode;
  /** The input of the graph that brings the earlier ones; `null` where nothing is joined. */
  readonly past: string | null;
  /** The value that is kept. */
  readonly joined: string;
  /** The axis of positions; `null` where nothing is joined along it. */
  readonly axis: number | null;
  readonly pastFirst: boolean;
  /** Nodes that lead to the value that is kept where it lies beside the way. */
  readonly aside: readonly ViewNode[];
  readonly dims: readonly number[];
  readonly rows: Int32Array;
  readonly columns: Int32Array;
}

/** A value on the way, as it lies. */
export interface TracedState {
  readonly value: string;
  readonly dims: readonly number[];
}

/**
 * A value whose every element is a column of one projection, scaled and shifted:
 * `element = late * turn(norm(gain * (x_row . W_column) + offset))`. What a cache brings has rows from `rowCount` on.
 */
export interface ProjectedValue {
  readonly projection: ProjectionProduct;
  readonly dims: readonly number[];
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly gain: Float64Array;
  readonly offset: Float64Array;
  /** What it is multiplied by after a rotation or a cache. */
  readonly late: Float64Array;
  readonly norm: TracedNorm | null;
  readonly turn: TracedTurn | null;
  readonly cache: TracedCache | null;
  /** Values behind the cache, or on all the way where there is none. */
  readonly states: readonly TracedState[];
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
  const steps: TraceStep[] = [];
  let at = id;
  let value: ProjectedValue | undefined;
  while (!value) {
    const node = inquiry.producer(at);
    if (!node) throw sourceless(inquiry, at, role, sources(...steps.slice(-1).map((step) => step.node)));
    const base = projectionOf(inquiry, node);
    if (base) {
      value = kept(inquiry, projectedValue(base, at), node, at);
      break;
    }
    if (steps.length === LONGEST_TRACE) {
      throw new Refusal(`no projection within ${LONGEST_TRACE} steps before the ${role}`, sources(node));
    }
    const cache = cacheStep(inquiry, node);
    if (cache) {
      steps.push({ node, output: at, chain: cache.current, cache });
      at = cache.current;
      continue;
    }
    const norm = normStep(inquiry, at);
    if (norm) {
      steps.push({ node, output: at, chain: norm.entry, norm });
      at = norm.entry;
      continue;
    }
    value = rotatedValue(inquiry, node, at, role);
    if (value) {
      value = kept(inquiry, value, node, at);
      break;
    }
    const chain = chainOperand(inquiry, node, role);
    steps.push({ node, output: at, chain });
    at = chain;
  }
  const traced = steps.reverse().reduce((at, step) => taken(inquiry, at, step, role), value);
  return traced.cache || role === 'query' ? traced : keptAside(inquiry, traced, role);
}

/** A value after one more step. */
function taken(inquiry: Inquiry, value: ProjectedValue, step: TraceStep, role: string): ProjectedValue {
  const { node, output, cache, norm } = step;
  const next = cache
    ? cachedValue(inquiry, value, cache, role)
    : norm
      ? normedValue(value, norm, role)
      : advance(inquiry, value, step, role);
  const before = norm ? norm.nodes.filter((inside) => inside !== node) : [];
  const after = {
    ...next,
    nodes: [...value.nodes, ...before, node],
    outputs: [...value.outputs, ...before.map(({ outputs }) => outputs[0] ?? ''), output],
    states: [...next.states, { value: output, dims: next.dims }],
  };
  return kept(inquiry, after, step.node, step.output);
}

/** The same value, marked where it stays from one step of the model to the next. */
function kept(inquiry: Inquiry, value: ProjectedValue, node: ViewNode, id: string): ProjectedValue {
  if (!inquiry.view.kept?.has(id)) return value;
  const { dims, rows, columns } = value;
  const cache = { node, past: null, joined: id, axis: null, pastFirst: true, aside: [], dims, rows, columns };
  return { ...value, cache, states: [] };
}

/**
 * The same value, where a copy of it in another layout stays from one step of the model to the next: some exporters
 * transpose the keys once for the cache and once for the product. What comes behind the parting is not in the cache.
 */
function keptAside(inquiry: Inquiry, value: ProjectedValue, role: string): ProjectedValue {
  const found = value.outputs.flatMap((from, at) => {
    const way = wayToKept(inquiry, from, new Set(value.nodes), 0);
    return way ? [{ at, way }] : [];
  });
  const parting = found.at(-1);
  if (!parting) return value;
  const { at, way } = parting;
  const end = way.at(-1) as ViewNode;
  const joined = end.outputs[0] as string;
  const aside = traceProjection(inquiry, joined, role);
  const place = new Map([...aside.columns].map((column, i) => [column, i]));
  const places = value.columns.map((column) => place.get(column) ?? -1);
  const turnOf = ({ turn }: ProjectedValue) => turn && `${turn.cos}|${turn.sin}`;
  const nodes = sources(...way);
  if (places.includes(-1) || aside.projection.node !== value.projection.node || turnOf(aside) !== turnOf(value)) {
    throw new Refusal(`the ${role} and what is kept of it as ${quoted(joined)} are not the same`, nodes);
  }
  const [gain, offset] = [numbersAt(aside.gain, places), numbersAt(aside.offset, places)];
  const late = value.late.map((late, i) => (late * (value.gain[i] as number)) / (gain[i] as number));
  const isShifted = value.offset.some((shift, i) => {
    const own = (offset[i] as number) * (late[i] as number);
    return Math.abs(shift * (value.late[i] as number) - own) > 1e-6 * Math.max(Math.abs(own), Math.abs(shift));
  });
  if (isShifted) throw new Refusal(`the ${role} is shifted behind what is kept of it (${quoted(joined)})`, nodes);
  const { dims, rows, columns } = aside;
  const cache = { node: end, past: null, joined, axis: null, pastFirst: true, aside: way, dims, rows, columns };
  const parted = new Set(value.outputs.slice(0, at + 1));
  return { ...value, gain, offset, late, cache, states: value.states.filter((state) => !parted.has(state.value)) };
}

/** Nodes that move a value, and nothing else, to one that is kept. */
function wayToKept(
  inquiry: Inquiry,
  id: string,
  own: ReadonlySet<ViewNode>,
  depth: number,
): readonly ViewNode[] | undefined {
  if (depth > LONGEST_ASIDE) return undefined;
  for (const node of inquiry.consumers(id)) {
    if (own.has(node) || !movesElements(node) || node.inputs[0] !== id) continue;
    const output = node.outputs[0] ?? '';
    const rest = inquiry.view.kept?.has(output) ? [] : wayToKept(inquiry, output, own, depth + 1);
    if (rest) return [node, ...rest];
  }
  return undefined;
}

interface TraceStep {
  readonly node: ViewNode;
  readonly output: string;
  readonly chain: string;
  readonly cache?: CacheStep;
  readonly norm?: NormStep;
}

function projectedValue(base: ProjectionProduct, at: string): ProjectedValue {
  return {
    projection: base,
    dims: base.outDims,
    rows: base.rows,
    columns: base.columns,
    gain: new Float64Array(base.rows.length).fill(1),
    offset: new Float64Array(base.rows.length),
    late: new Float64Array(base.rows.length).fill(1),
    norm: null,
    turn: null,
    cache: null,
    states: [],
    scale: 1,
    hasBias: false,
    nodes: [base.node],
    outputs: [at],
  };
}

function sourceless(inquiry: Inquiry, id: string, role: string, nodes: readonly string[]): Refusal {
  return /past|cache/i.test(id) && inquiry.dims(id).length > 2
    ? new Refusal(`the ${role} is the cache ${quoted(id)}, whose projection is in another graph`, nodes, 'elsewhere')
    : new Refusal(`the ${role} is the graph input ${quoted(id)}, not a projection`, nodes);
}

/** What ends in a value as a rotation of a projection; `undefined` where it is none. */
function rotatedValue(inquiry: Inquiry, node: ViewNode, id: string, role: string): ProjectedValue | undefined {
  const { operator } = node;
  const isEnd = operator.kind === 'concat' || (operator.kind === 'binary' && /^(add|sub)$/.test(operator.name));
  if (!isEnd || node.inputs.some((input) => inquiry.isFixed(input))) return undefined;
  let failure: Refusal | undefined;
  for (const rotation of rotationsAt(inquiry, id)) {
    try {
      return turned(traceProjection(inquiry, rotation.entry, role), rotation, role);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failure ??= error;
    }
  }
  if (failure) throw failure;
  return undefined;
}

function turned(value: ProjectedValue, rotation: Rotation, role: string): ProjectedValue {
  const { own, partner, cos, sin, cosAt, sinAt, sign, dims } = rotation;
  const nodes = rotation.nodes.map(({ source }) => source);
  if (value.turn || value.cache) {
    throw new Refusal(`the ${role} is rotated ${value.cache ? 'behind its cache' : 'twice'}`, nodes);
  }
  const partners = partner.map((from) => (from < 0 ? -1 : (value.columns[from] as number)));
  if (partner.some((from, i) => from >= 0 && value.rows[from] !== value.rows[own[i] as number])) {
    throw new Refusal(`the ${role} mixes positions and features`, nodes);
  }
  const straight = moved(value, dims, own);
  return {
    ...straight,
    nodes: [...value.nodes, ...rotation.nodes],
    outputs: [...value.outputs, ...rotation.nodes.map(({ outputs }) => outputs[0] ?? '')],
    turn: { cos, sin, cosAt, sinAt, sign, partner: partners, nodes: rotation.nodes },
  };
}

/** Notes which columns are normalised together, proving that they are the same at every position. */
function normedValue(value: ProjectedValue, { axes, epsilon, centred, nodes }: NormStep, role: string): ProjectedValue {
  const names = sources(...nodes);
  if (value.cache || value.turn || value.norm) {
    const where = value.cache ? 'behind its cache' : value.turn ? 'behind its rotation' : 'twice';
    throw new Refusal(`the ${role} is normalised ${where}`, names);
  }
  const { dims, rows, columns } = value;
  const strides = stridesOf(dims);
  const placeOf = strided(
    dims,
    dims.map((_, axis) => (axes.includes(axis) ? 0 : (strides[axis] as number))),
  ).source();
  const together = new Map<number, number[]>();
  placeOf.forEach((place, i) => {
    const members = together.get(place);
    if (members) members.push(i);
    else together.set(place, [i]);
  });
  const setOf = new Map<number, number>();
  const sizes: number[] = [];
  for (const members of together.values()) {
    const own = new Set(members.map((i) => columns[i] as number));
    const set = setOf.get(columns[members[0] as number] as number) ?? sizes.length;
    const isNew = set === sizes.length;
    if (isNew) sizes.push(own.size);
    const isWhole = own.size === members.length && own.size === sizes[set];
    const isOneRow = members.every((i) => rows[i] === rows[members[0] as number]);
    const isKnown = [...own].every((column) => setOf.get(column) === (isNew ? undefined : set));
    if (!isWhole || !isOneRow || !isKnown) {
      throw new Refusal(`the ${role} is normalised over more than features of one position`, names);
    }
    if (isNew) for (const column of own) setOf.set(column, set);
  }
  const count = columns.length;
  const neutral = { gain: new Float64Array(count).fill(1), offset: new Float64Array(count) };
  // A factor before it has no effect.
  return { ...value, norm: { epsilon, centred, setOf, ...neutral, nodes }, scale: 1 };
}

/** Joins what is traced to a cache, whose elements belong to the same columns at rows of their own. */
function cachedValue(inquiry: Inquiry, value: ProjectedValue, step: CacheStep, role: string): ProjectedValue {
  if (value.cache)
    throw new Refusal(`the ${role} is joined to a second cache (${step.node.source})`, sources(step.node));
  if (varies(value.columns, value.dims, step.axis)) {
    throw new Refusal(`the ${role} is joined to a cache along its features (${step.node.source})`, sources(step.node));
  }
  const out = value.states.find((state) => inquiry.isOutput(state.value));
  if (out) {
    const why = 'the cache is put together outside the graph, which is not swapped';
    throw new Refusal(`the new ${role}s go out by themselves as ${quoted(out.value)}: ${why}`, sources(step.node));
  }
  const { dims, source, earlier } = joinedSource(inquiry, step);
  const joined = moved(value, dims, source);
  const count = value.projection.rowCount;
  const unturned = (at: Int32Array) => at.map((number, i) => ((earlier[i] as number) < 0 ? number : -1));
  return {
    ...joined,
    rows: joined.rows.map((row, i) => ((earlier[i] as number) < 0 ? row : row + count * ((earlier[i] as number) + 1))),
    turn: joined.turn && { ...joined.turn, cosAt: unturned(joined.turn.cosAt), sinAt: unturned(joined.turn.sinAt) },
    cache: {
      node: step.node,
      past: step.past,
      joined: step.node.outputs[0] as string,
      axis: step.axis,
      pastFirst: step.pastFirst,
      aside: [],
      dims: value.dims,
      rows: value.rows,
      columns: value.columns,
    },
    states: [],
  };
}

/** The operand that the trace goes on with: the only one that is not a coefficient. */
function chainOperand(inquiry: Inquiry, node: ViewNode, role: string): string {
  const [a = '', b = ''] = node.inputs;
  const { operator } = node;
  const quantised = (id: string) => {
    const from = quantisedSource(inquiry, id);
    return (
      from &&
      new Refusal(`the ${role} is computed by ${named(from)}: quantised attention is not swapped`, sources(from))
    );
  };
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
    const failure = quantised(a) ?? quantised(b);
    if (failure) throw failure;
    if (name === 'add' && isScaled(inquiry, a) && isScaled(inquiry, b)) {
      throw new Refusal(`the ${role} is rotated by its position in a way that is not followed`, sources(node));
    }
    throw new Refusal(`the ${role} passes through ${node.source} (${name}) with an operand that is not constant`, [
      node.source,
    ]);
  }
  if (operator.kind === 'concat') throw new Refusal(`the ${role} is put together by ${node.source}`, sources(node));
  if (operator.kind === 'matmul' || operator.kind === 'einsum' || operator.kind === 'pointwise') {
    const why = inquiry.isFixed(a) ? 'of constants' : 'without a constant weight';
    throw new Refusal(`the ${role} comes from a product ${why} (${node.source})`, sources(node));
  }
  if (operator.kind === 'constant') throw new Refusal(`the ${role} is constant`, sources(node));
  const failure = quantised(node.outputs[0] ?? '');
  if (failure) throw failure;
  if (operator.kind === 'opaque' && operator.name.startsWith('Scatter')) {
    const why = 'caches of a fixed length, which are written in place, are not swapped';
    throw new Refusal(`the ${role} comes out of ${named(node)}: ${why}`, sources(node));
  }
  throw new Refusal(`the ${role} passes through ${named(node)}`, sources(node));
}

function isScaled(inquiry: Inquiry, id: string): boolean {
  const node = inquiry.producer(id);
  return node?.operator.kind === 'binary' && node.operator.name === 'mul';
}

function advance(
  inquiry: Inquiry,
  value: ProjectedValue,
  { node, output, chain }: TraceStep,
  role: string,
): ProjectedValue {
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
  const factor = numbersAt(other.numbers, source);
  const single = other.numbers.length === 1 ? (other.numbers[0] as number) : 1;
  if ((operator.name === 'add' || operator.name === 'sub') && (value.turn || value.cache)) {
    const where = value.cache ? 'its cache' : 'its rotation';
    throw new Refusal(`the ${role} is shifted behind ${where} (${node.source})`, sources(node));
  }
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
  const places = (from: Int32Array) => source.map((at) => from[at] as number);
  const numbers = (from: Float64Array) => numbersAt(from, source);
  const { norm, turn } = value;
  return {
    ...value,
    dims,
    rows: places(value.rows),
    columns: places(value.columns),
    gain: numbers(value.gain),
    offset: numbers(value.offset),
    late: numbers(value.late),
    norm: norm && { ...norm, gain: numbers(norm.gain), offset: numbers(norm.offset) },
    turn: turn && {
      ...turn,
      cosAt: places(turn.cosAt),
      sinAt: places(turn.sinAt),
      sign: places(turn.sign),
      partner: places(turn.partner),
    },
  };
}

function scaled(value: ProjectedValue, factor: Float64Array, single: number): ProjectedValue {
  const times = (numbers: Float64Array) => numbers.map((number, i) => number * (factor[i] as number));
  const scale = value.scale * single;
  // What a cache keeps and what a rotation reads stays as it is: the factor comes after them.
  if (value.turn || value.cache) return { ...value, late: times(value.late), scale };
  const { norm } = value;
  if (norm) return { ...value, norm: { ...norm, gain: times(norm.gain), offset: times(norm.offset) }, scale };
  return { ...value, gain: times(value.gain), offset: times(value.offset), scale };
}

function shifted(value: ProjectedValue, by: Float64Array): ProjectedValue {
  const plus = (numbers: Float64Array) => numbers.map((number, i) => number + (by[i] as number));
  const { norm } = value;
  if (norm) return { ...value, norm: { ...norm, offset: plus(norm.offset) } };
  return { ...value, hasBias: true, offset: plus(value.offset) };
}
