import type { HeadColumns } from './heads.js';
import type { Inquiry } from './inquiry.js';
import { quoted, sources } from './inquiry.js';
import { stridesOf } from './layout.js';
import type { TakenApart } from './operand.js';
import { Refusal } from './refusal.js';
import type { ProjectedValue } from './trace.js';
import { varies } from './varies.js';
import type { ViewNode } from './view.js';

/** Part that an axis of a cache plays. */
export type CacheAxis = 'batch' | 'head' | 'sequence' | 'feature';

/** Keys or values of earlier positions that come in beside the new ones, and go out with them. */
export interface BlockCache {
  /** The input of the graph that brings the earlier ones; `null` where the graph joins nothing to what it keeps. */
  readonly past: string | null;
  /** The value that holds the earlier and the new ones. */
  readonly joined: string;
  /** Outputs of the graph that hand them on. */
  readonly present: readonly string[];
  readonly axes: readonly [CacheAxis, CacheAxis, CacheAxis, CacheAxis];
  readonly pastFirst: boolean;
  /** Nodes that lead to it where it lies beside the way to the product. */
  readonly aside: readonly ViewNode[];
}

/** Reads the cache of an operand, proving that it holds one head of keys or values after the other; `null`: none. */
export function blockCache(
  inquiry: Inquiry,
  { cache, nodes, states }: ProjectedValue,
  apart: TakenApart,
  { columns, groups }: HeadColumns,
  role: string,
  product: ViewNode,
): BlockCache | null {
  if (!cache) {
    const out = states.find(({ value, dims }) => dims.length === 4 && handedOn(inquiry, value).length > 0);
    if (!out || role === 'query') return null;
    throw new Refusal(
      `its ${role}s go out as "${handedOn(inquiry, out.value)[0]}" and come in nowhere: they are the cache of another graph`,
      sources(inquiry.producer(out.value)),
      'elsewhere',
    );
  }
  const { node, past, joined, dims, rows } = cache;
  const width = columns.length / groups.length;
  const places = new Map<number, number>();
  groups.forEach((group, head) => {
    for (let f = 0; f < width; f++) places.set(columns[head * width + f] as number, group * width + f);
  });
  const codes = cache.columns.map((column) => places.get(column) ?? -1);
  const headOf = codes.map((code) => Math.floor(code / width));
  const featureOf = codes.map((code) => code % width);
  const odd = (why: string) =>
    new Refusal(`the layout of its ${role} cache ${quoted(past ?? joined)} is not followed: ${why}`, sources(node));
  if (dims.length !== 4 || codes.includes(-1)) throw odd('batch, heads, positions and features are no axis each');
  const tokens = cache.axis === null ? tokensOf(rows, apart) : undefined;
  const known = dims.map((_, axis): CacheAxis | undefined => {
    if (axis === cache.axis || (tokens && varies(tokens, dims, axis))) return 'sequence';
    const kinds = [
      ...(varies(headOf, dims, axis) ? (['head'] as const) : []),
      ...(varies(featureOf, dims, axis) ? (['feature'] as const) : []),
      ...(varies(rows, dims, axis) ? (['batch'] as const) : []),
    ];
    if (kinds.length > 1) throw odd('an axis holds more than one of batch, heads and features');
    return kinds[0];
  });
  const rest = (['batch', 'head', 'feature'] as const).filter((kind) => !known.includes(kind));
  const axes = known.map((kind) => kind ?? (rest.shift() as CacheAxis));
  if (new Set(axes).size !== 4) throw odd('batch, heads, positions and features are no axis each');
  const isInOrder = (codes: Int32Array, kind: CacheAxis) => {
    const axis = axes.indexOf(kind);
    const stride = stridesOf(dims)[axis] as number;
    return codes.every((code, i) => code === Math.floor(i / stride) % (dims[axis] as number));
  };
  if (!isInOrder(headOf, 'head') || !isInOrder(featureOf, 'feature')) throw odd('its heads are in another order');

  const handsOn = inquiry.readers(joined).filter(isCopy);
  const present = handedOn(inquiry, joined);
  const others = [
    ...(past === null ? [] : inquiry.readers(past).filter((reader) => reader !== node)),
    ...inquiry
      .readers(joined)
      .filter((reader) => !nodes.includes(reader) && reader !== product && !handsOn.includes(reader)),
  ];
  if (others.length > 0) {
    throw new Refusal(
      `its ${role} cache is read by another operator, too (${others[0]?.source})`,
      sources(node, ...others),
    );
  }
  return {
    past,
    joined,
    present,
    axes: axes as unknown as BlockCache['axes'],
    pastFirst: cache.pastFirst,
    aside: cache.aside,
  };
}

/** The token of each element, from the rows of the operand that the value becomes. */
function tokensOf(rows: Int32Array, { rows: operandRows, tokenCount }: TakenApart): Int32Array {
  const known = new Map([...operandRows].map((row, at) => [row, at % tokenCount]));
  return rows.map((row) => known.get(row) ?? -1);
}

/** Outputs of the graph that a value is. */
function handedOn(inquiry: Inquiry, id: string): string[] {
  const copies = inquiry.readers(id).filter(isCopy);
  return [id, ...copies.flatMap(({ outputs }) => outputs)].filter((value) => inquiry.isOutput(value));
}

function isCopy({ operator }: ViewNode): boolean {
  return operator.kind === 'identity' || (operator.kind === 'cast' && operator.to === 'float');
}
