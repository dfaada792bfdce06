import { contractionOf } from './contraction.js';
import type { HeadNorm } from './head-norm.js';
import { headNorm } from './head-norm.js';
import type { HeadRotation } from './head-rotation.js';
import { headRotation } from './head-rotation.js';
import type { HeadColumns, Heads } from './heads.js';
import { headColumns, headsOf } from './heads.js';
import type { Inquiry } from './inquiry.js';
import { sources } from './inquiry.js';
import { stridesOf } from './layout.js';
import type { TakenApart } from './operand.js';
import { takeApart } from './operand.js';
import type { SizedLabel } from './product-positions.js';
import { along, over } from './product-positions.js';
import { Refusal } from './refusal.js';
import type { ScoreChain } from './scores.js';
import { carry } from './scores.js';
import type { ProjectedValue } from './trace.js';
import { traceProjection } from './trace.js';
import { varies } from './varies.js';

/** An operand of a product that comes from a projection. */
export interface ProjectedOperand {
  readonly operand: string;
  /** What each of its axes is: `batch` and `head` (or `merged`), `sequence`, `feature`; another name where that is not told. */
  readonly labels: readonly string[];
  readonly traced: ProjectedValue;
  readonly apart: TakenApart;
  readonly heads: HeadColumns;
  /** Tokens that are new, in order: all of them without a cache. */
  readonly tokens: readonly number[];
  readonly norm: HeadNorm | null;
  readonly rotation: HeadRotation | null;
}

/** The product of queries and keys, read. */
export interface QueryKeyProduct {
  readonly query: ProjectedOperand;
  readonly key: ProjectedOperand;
  readonly heads: Heads;
  readonly batch: readonly SizedLabel[];
  /** Labels and sizes of the scores. */
  readonly labels: readonly string[];
  readonly dims: readonly number[];
  readonly queryLabel: string;
  readonly keyLabel: string;
  /** Head, query and key of every score. */
  readonly codes: { readonly head: Int32Array; readonly query: Int32Array; readonly key: Int32Array };
}

/** Reads the product that a chain of scores starts from: which operand is which, and which heads they have. */
export function queryKeyProduct(inquiry: Inquiry, chain: ScoreChain): QueryKeyProduct {
  const { product } = chain;
  const [a = '', b = ''] = product.inputs;
  const labels = contractionOf(product.operator, inquiry.dims(a).length, inquiry.dims(b).length);
  if (!labels) throw new Refusal(`the product ${product.source} cannot be read`, sources(product));
  const dims = inquiry.dims(product.outputs[0] as string);
  const summed = labels.a.filter((label) => labels.b.includes(label) && !labels.out.includes(label));
  // Broadcasting drops a leading axis from one operand; such an axis is a batch axis all the same.
  const inBoth = (label: string) => labels.a.includes(label) === labels.b.includes(label);
  const isBatch = (label: string) => inBoth(label) || /^b\d/.test(label);
  const free = (own: readonly string[]) => labels.out.filter((label) => own.includes(label) && !isBatch(label));
  const [freeA, freeB] = [free(labels.a), free(labels.b)];
  if (summed.length !== 1 || freeA.length !== 1 || freeB.length !== 1) {
    throw new Refusal(`the product ${product.source} is no product of queries and keys`, sources(product));
  }
  const [labelA, labelB] = [freeA[0] as string, freeB[0] as string];

  // The softmax runs over the tokens of the keys.
  const runsOver = (label: string) => {
    const start = { dims, codes: along(labels.out, dims, label) };
    const carried = carry(inquiry, chain.before, start);
    const stride = stridesOf(carried.dims)[chain.softmaxAxis] as number;
    return carried.codes.length > stride && carried.codes[stride] !== carried.codes[0];
  };
  const keysSecond = runsOver(labelB);
  if (keysSecond === runsOver(labelA)) {
    // A single token runs over nothing: larger inputs may have more.
    const isSingle = dims[labels.out.indexOf(labelA)] === 1 || dims[labels.out.indexOf(labelB)] === 1;
    throw new Refusal(
      'the softmax does not run over the tokens of one operand',
      sources(chain.softmax),
      isSingle ? 'size' : 'structure',
    );
  }
  const batch = labels.out.filter(isBatch).map((label) => ({ label, size: dims[labels.out.indexOf(label)] as number }));
  const read = (operand: string, own: readonly string[], token: string, role: 'query' | 'key') => {
    const traced = traceProjection(inquiry, operand, role);
    return { operand, own, token, traced, apart: takeApart(traced, own, batch, [token], summed, role) };
  };
  const first = read(a, labels.a, labelA, keysSecond ? 'query' : 'key');
  const second = read(b, labels.b, labelB, keysSecond ? 'key' : 'query');
  const [query, key] = keysSecond ? [first, second] : [second, first];
  const heads = headsOf(query.apart);
  const [queryLabel, keyLabel] = keysSecond ? [labelA, labelB] : [labelB, labelA];
  const head = over(labels.out, dims, batch).map((position) => heads.ofBatch[position] as number);
  const headLabels = batch.filter(({ label }) => varies(head, dims, labels.out.indexOf(label)));
  const withHeads = ({ own, token, ...read }: typeof first, role: string): ProjectedOperand => {
    const tokens = newTokens(read.traced, read.apart);
    const columns = headColumns(read.apart, heads, role, sources(read.traced.projection.node));
    return {
      ...read,
      labels: roleLabels(own, batch, headLabels, token, summed[0] as string),
      tokens,
      heads: columns,
      norm: headNorm(read.traced, read.apart, heads, columns, role),
      rotation: headRotation(inquiry, read.traced, read.apart, heads, tokens, role),
    };
  };
  const operands = { query: withHeads(query, 'query'), key: withHeads(key, 'key') };
  checkRotations(operands.query, operands.key);
  return {
    ...operands,
    heads,
    batch,
    labels: labels.out,
    dims,
    queryLabel,
    keyLabel,
    codes: {
      head,
      query: along(labels.out, dims, queryLabel),
      key: along(labels.out, dims, keyLabel),
    },
  };
}

/** Names the axes of an operand by what they are, where batch and heads are one each, or one together. */
export function roleLabels(
  own: readonly string[],
  batch: readonly SizedLabel[],
  heads: readonly SizedLabel[],
  token: string,
  feature: string,
): readonly string[] {
  if (batch.length > 2 || heads.length !== 1) return own;
  return own.map((label) => {
    if (label === token) return 'sequence';
    if (label === feature) return 'feature';
    if (batch.length === 1) return 'merged';
    return label === heads[0]?.label ? 'head' : 'batch';
  });
}

/** The tokens of an operand that no cache brings. */
export function newTokens({ projection, cache }: ProjectedValue, { rows, tokenCount }: TakenApart): number[] {
  const all = Array.from({ length: tokenCount }, (_, token) => token);
  return cache ? all.filter((token) => (rows[token] as number) < projection.rowCount) : all;
}

/** Queries and keys must be rotated in the same planes, and by nothing that does not commute with it afterwards. */
function checkRotations(query: ProjectedOperand, key: ProjectedOperand): void {
  if (!query.rotation && !key.rotation) return;
  const nodes = sources(...(query.traced.turn?.nodes ?? []), ...(key.traced.turn?.nodes ?? []));
  if (!query.rotation || !key.rotation) throw new Refusal('only one of queries and keys is rotated by position', nodes);
  const planes = ({ features, partners }: HeadRotation) => `${features}|${partners}`;
  if (planes(query.rotation) !== planes(key.rotation)) {
    throw new Refusal('queries and keys are rotated in other planes', nodes);
  }
  for (const { heads, apart } of [query, key]) {
    const width = apart.featureCount;
    if (heads.late.some((late, i) => late !== heads.late[i - (i % width)])) {
      throw new Refusal('features are scaled differently after they are rotated', nodes);
    }
  }
}
