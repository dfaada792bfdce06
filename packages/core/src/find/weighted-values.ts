import { contractionOf } from './contraction.js';
import type { Heads } from './heads.js';
import { headColumns } from './heads.js';
import type { Inquiry } from './inquiry.js';
import { sources } from './inquiry.js';
import { stridesOf } from './layout.js';
import { takeApart } from './operand.js';
import type { SizedLabel } from './product-positions.js';
import { along, over } from './product-positions.js';
import { indexed } from './projection.js';
import type { ProjectedOperand, QueryKeyProduct } from './query-key.js';
import { newTokens, roleLabels } from './query-key.js';
import { Refusal } from './refusal.js';
import type { ScoreChain } from './scores.js';
import { carry } from './scores.js';
import { traceProjection } from './trace.js';
import { varies } from './varies.js';

/** The product of the probabilities with the values, read. */
export interface WeightedValues {
  readonly value: ProjectedOperand;
  /** Heads at the product's batch positions. */
  readonly heads: Heads;
  /** Labels and sizes of the probabilities as the product reads them, and the head of each. */
  readonly probabilities: {
    readonly labels: readonly string[];
    readonly dims: readonly number[];
    readonly head: Int32Array;
  };
  /** The result: the heads' outputs. */
  readonly output: string;
  readonly labels: readonly string[];
  readonly dims: readonly number[];
  readonly keyLabel: string;
  readonly queryLabel: string;
  readonly featureLabel: string;
  /** `head * valueHeadDim + feature` of every element of the result. */
  readonly codes: Int32Array;
}

/** Reads the product at the end of a chain of scores, carrying heads and keys along the chain to it. */
export function weightedValues(inquiry: Inquiry, chain: ScoreChain, scores: QueryKeyProduct): WeightedValues {
  const { context } = chain;
  const [a = '', b = ''] = context.inputs;
  const probabilitiesFirst = a === chain.probabilities;
  const operand = probabilitiesFirst ? b : a;
  const labels = contractionOf(context.operator, inquiry.dims(a).length, inquiry.dims(b).length);
  if (!labels) throw new Refusal(`the product ${context.source} cannot be read`, sources(context));
  const [own, theirs] = probabilitiesFirst ? [labels.a, labels.b] : [labels.b, labels.a];
  const isBatch = (label: string) => /^b\d/.test(label);
  const summed = own.filter((label) => theirs.includes(label) && !labels.out.includes(label));
  const only = (one: readonly string[], other: readonly string[]) =>
    one.filter((label) => labels.out.includes(label) && !other.includes(label) && !isBatch(label));
  const [feature, query] = [only(theirs, own), only(own, theirs)];
  if (summed.length !== 1 || feature.length !== 1 || query.length !== 1) {
    throw new Refusal(`the product ${context.source} does not weight values by the probabilities`, sources(context));
  }
  const [keyLabel, featureLabel, queryLabel] = [summed[0], feature[0], query[0]] as [string, string, string];

  const steps = [...chain.before, ...chain.after];
  const at = (codes: Int32Array) => carry(inquiry, steps, { dims: scores.dims, codes });
  const head = at(scores.codes.head);
  const keyAxis = own.indexOf(keyLabel);
  const isSummedOver =
    head.dims.length === own.length &&
    varies(at(scores.codes.key).codes, head.dims, keyAxis) &&
    !varies(head.codes, head.dims, keyAxis) &&
    !varies(at(scores.codes.query).codes, head.dims, keyAxis);
  if (!isSummedOver) throw new Refusal('the values are not summed over the keys', sources(context));

  const output = context.outputs[0] as string;
  const dims = inquiry.dims(output);
  const batch = labels.out
    .filter((label) => label !== queryLabel && label !== featureLabel)
    .map((label) => ({ label, size: dims[labels.out.indexOf(label)] as number }));
  const heads = headsAt(batch, own, head.dims, head.codes, scores.heads.numHeads);
  const traced = traceProjection(inquiry, operand, 'value');
  if (traced.norm) throw new Refusal('the values are normalised', sources(...traced.norm.nodes));
  if (traced.turn) throw new Refusal('the values are rotated by position', sources(...traced.turn.nodes));
  const apart = takeApart(traced, theirs, batch, [keyLabel], [featureLabel], 'value');
  const position = over(labels.out, dims, batch);
  const headOf = position.map((at) => heads.ofBatch[at] as number);
  const headLabels = batch.filter(({ label }) => varies(headOf, dims, labels.out.indexOf(label)));
  return {
    value: {
      operand,
      labels: roleLabels(theirs, batch, headLabels, keyLabel, featureLabel),
      traced,
      apart,
      heads: headColumns(apart, heads, 'value', sources(traced.projection.node)),
      tokens: newTokens(traced, apart),
      norm: null,
      rotation: null,
    },
    heads,
    probabilities: { labels: own, dims: head.dims, head: head.codes },
    output,
    labels: labels.out,
    dims,
    keyLabel,
    queryLabel,
    featureLabel,
    codes: along(labels.out, dims, featureLabel).map(
      (number, i) => (heads.ofBatch[position[i] as number] as number) * apart.featureCount + number,
    ),
  };
}

/** Heads at the batch positions, read off the probabilities at the first query and key. */
function headsAt(
  batch: readonly SizedLabel[],
  labels: readonly string[],
  dims: readonly number[],
  head: Int32Array,
  numHeads: number,
): Heads {
  const strides = stridesOf(dims);
  const ofBatch = indexed(
    batch.map(({ size }) => size),
    batch.map(({ label }) => {
      const axis = labels.indexOf(label);
      return axis < 0 || dims[axis] === 1 ? 0 : (strides[axis] as number);
    }),
  ).map((at) => head[at] as number);
  return { numHeads, ofBatch };
}
