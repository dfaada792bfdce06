import { isIdentity } from '../attention/head-groups.js';
import type { AttentionWeights, HeadGroups, Projection } from '../attention/weights.js';
import type { BlockAxes } from './block-axes.js';
import { blockAxes } from './block-axes.js';
import type { BlockCache } from './block-cache.js';
import { blockCache } from './block-cache.js';
import { headProjection, outputWeights } from './block-weights.js';
import type { HeadNorm } from './head-norm.js';
import type { HeadRotation } from './head-rotation.js';
import { planesOf } from './head-rotation.js';
import type { HeadColumns, Heads } from './heads.js';
import type { Inquiry } from './inquiry.js';
import type { OutputProjection } from './output.js';
import { outputProjection } from './output.js';
import type { ProjectedOperand } from './query-key.js';
import { queryKeyProduct } from './query-key.js';
import { Refusal } from './refusal.js';
import type { Restated } from './restated.js';
import { restatedValues } from './restated.js';
import { scoreSides } from './score-sides.js';
import type { ScoreChain } from './scores.js';
import { isSizeRead, readOutside, scoreChain } from './scores.js';
import { refuseSideTerms } from './side-terms.js';
import type { MaskKind } from './site.js';
import type { Stream } from './stream.js';
import { streamOf } from './stream.js';
import type { ProjectedValue } from './trace.js';
import type { ViewNode } from './view.js';
import { weightedValues } from './weighted-values.js';

/** Queries, keys or values of a block: the traced operand and each head's columns. */
export interface BlockProjection {
  readonly traced: ProjectedValue;
  readonly heads: HeadColumns;
  /** The operand of the product. */
  readonly operand: string;
  /** The stream with its axes told apart, where they can be. */
  readonly stream: Stream | undefined;
  /** How its features are normalised after the projection; `null`: not at all. */
  readonly norm: HeadNorm | null;
  /** How each head is turned by its position before the product; `null`: not at all. */
  readonly rotation: HeadRotation | null;
  /** Where earlier keys or values come in. */
  readonly cache: BlockCache | null;
  /** Values between the cache and the product that something asks for the size of. */
  readonly restated: readonly Restated[];
}

/** One attention block as the finder proved it, with all that a swap needs. */
export interface AttentionBlock {
  readonly chain: ScoreChain;
  readonly numHeads: number;
  readonly headDim: number;
  readonly valueHeadDim: number;
  /** Which heads have the same keys, and the same values, in the model itself: every head its own in plain attention. */
  readonly groups: HeadGroups;
  readonly query: BlockProjection;
  readonly key: BlockProjection;
  readonly value: BlockProjection;
  readonly output: OutputProjection;
  /** Product of the scale steps between the product and the softmax. */
  readonly chainScale: number;
  /** Kinds of the steps before the softmax, and whether one differs between heads. */
  readonly mask: readonly MaskKind[];
  readonly sameForAllHeads: boolean;
  /** What of the scores and probabilities something outside the block reads. */
  readonly readOutside: readonly ('scores' | 'probabilities')[];
  /** Whether something asks for the size of the scores or probabilities. */
  readonly sizeRead: boolean;
  /** Head of each batch position of the scores, row by row over the product's batch axes. */
  readonly headOfBatch: Int32Array;
  /** Whether a weight is cut out of a constant by sizes of the inputs. */
  readonly sized: boolean;
  /** `undefined` where heads are not an axis of their own (merged with the batch). */
  readonly axes: BlockAxes | undefined;
  /**
   * The weights, in the one layout; scales on the way to the product are folded in, `scale` is `chainScale`. Factors behind
   * a cache or a rotation are folded into what the cache does not keep: the query, the output.
   */
  readonly weights: () => AttentionWeights;
  /** Of these, the output projection alone. */
  readonly ownOutput: () => Projection;
}

/** Proves that a softmax is attention over projections, or refuses. */
export function attentionBlock(inquiry: Inquiry, softmax: ViewNode): AttentionBlock {
  const chain = scoreChain(inquiry, softmax);
  const scores = queryKeyProduct(inquiry, chain);
  const values = weightedValues(inquiry, chain, scores);
  const projected = [scores.query, scores.key, values.value].flatMap(({ traced }) => traced.nodes);
  refuseSideTerms(inquiry, [...chain.before, ...chain.after], projected);
  const { numHeads } = scores.heads;
  const headDim = scores.query.apart.featureCount;
  const valueHeadDim = values.value.apart.featureCount;
  const output = outputProjection(inquiry, values.output, values.dims, values.codes, numHeads * valueHeadDim);

  const withStream = (
    { operand, labels, traced, apart, heads, tokens, norm, rotation }: ProjectedOperand,
    ofBatch: Heads,
    role: string,
  ): BlockProjection => ({
    operand,
    traced,
    heads,
    norm,
    rotation,
    stream: streamOf(inquiry, traced.projection, apart, ofBatch, tokens),
    cache: blockCache(inquiry, traced, apart, heads, role, role === 'value' ? chain.context : chain.product),
    restated: role === 'query' ? [] : restatedValues(inquiry, traced, heads, labels, [chain.product, chain.context]),
  });
  const read = withStream(scores.query, scores.heads, 'query');
  const key = withStream(scores.key, scores.heads, 'key');
  const value = withStream(values.value, values.heads, 'value');
  // What follows a rotation or a cache is folded into the queries, behind their own normalisation where they have one.
  const late = product(read.heads.late, key.heads.late);
  const query: BlockProjection = { ...read, norm: read.norm && scaledNorm(read.norm, late) };
  if (query.cache) throw new Refusal(`its queries are joined to a cache (${query.cache.joined})`);
  const weights = [query, key, value].map(({ traced }) => traced.projection.weight).concat(output.weight);
  for (const weight of weights) inquiry.checkReadable(weight);
  const chainScale = chain.before.reduce((scale, { step }) => (step.kind === 'scale' ? scale * step.factor : scale), 1);
  const groups = { queryKey: key.heads.groups, value: value.heads.groups };
  const ownOutput = () => outputWeights(inquiry, output, value.heads.late);
  return {
    chain,
    numHeads,
    headDim,
    valueHeadDim,
    groups,
    query,
    key,
    value,
    output,
    chainScale,
    ...scoreSides(inquiry, chain.before, scores),
    readOutside: readOutside(inquiry, chain),
    sizeRead: isSizeRead(inquiry, chain),
    headOfBatch: scores.heads.ofBatch,
    sized: weights.some((weight) => inquiry.isSized(weight)),
    axes: blockAxes(scores, values),
    weights: () => ({
      numHeads,
      headDim,
      valueHeadDim,
      scale: chainScale,
      query: headProjection(inquiry, query, query.norm ? undefined : late),
      key: headProjection(inquiry, key),
      value: headProjection(inquiry, value),
      output: ownOutput(),
      ...(isIdentity(groups.queryKey) && isIdentity(groups.value) ? {} : { keyValueGroups: groups }),
      ...((query.norm || key.norm) && { normalised: true }),
      ...(query.rotation && { rotary: { planes: planesOf(query.rotation) } }),
    }),
    ownOutput,
  };
}

function scaledNorm(norm: HeadNorm, by: Float64Array): HeadNorm {
  return { ...norm, gain: product(norm.gain, by), offset: product(norm.offset, by) };
}

function product(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((x, i) => x * (b[i] as number));
}
