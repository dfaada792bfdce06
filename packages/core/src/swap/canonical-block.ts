import { attendFactorisedMheHeadsLast } from '../attention/factorised.js';
import { attendFoldedMhe } from '../attention/folded.js';
import type { AttentionInputs } from '../attention/inputs.js';
import { attendMhe } from '../attention/mhe.js';
import type { TensorPort } from '../attention/port.js';
import type { ScoreRules } from '../attention/score-rules.js';
import { unfoldMhe } from '../attention/unfold.js';
import type { Embedding, FoldedMheWeights } from '../attention/weights.js';
import type { AttentionBlock } from '../find/block.js';
import type { CacheAxis } from '../find/block-cache.js';
import type { TurnAxis } from '../find/head-rotation.js';
import type { Stream } from '../find/stream.js';
import type { ValueId } from '../find/view.js';
import { canonicalObstacle } from './form-obstacles.js';
import { headSteps } from './head-steps.js';
import { inOrder } from './in-order.js';
import { mergeLeading, splitLeading } from './merged-axes.js';
import type { AttentionForm } from './options.js';

/** What to put in a block's place. */
export interface CanonicalReplacement {
  readonly weights: FoldedMheWeights;
  readonly embedding: Embedding;
  readonly form: Exclude<AttentionForm, 'widened'>;
}

/**
 * How an adapter writes a block into its graph: a port whose operations add nodes, and the values of the model that
 * the new nodes read and make.
 *
 * @typeParam T - the port's tensor.
 */
export interface BlockWriter<T> {
  readonly port: TensorPort<T>;
  /** A stream as `[batch, sequence, channel]`. */
  stream(stream: Stream): T;
  /**
   * Any other value of the model.
   *
   * @param axes - what each of its axes is.
   * @throws FormError where the adapter cannot read it.
   */
  value(name: ValueId, axes: readonly (CacheAxis | TurnAxis)[]): T;
  /**
   * The model's own probabilities, with their axes in the model's order.
   *
   * @param scores - the scores that the softmax reads, `[batch, heads, queries, keys]`.
   */
  probabilities(scores: T): T;
  /**
   * The root of the mean of the squares over `axes`, `epsilon` added to the mean; the axes stay, of size 1. For adapters
   * whose squares the type that a model computes in may not hold. Default: by the port.
   */
  rootMeanSquare?(value: T, axes: readonly number[], epsilon: number): T;
  /** Gives what the new nodes made the name that the rest of the graph reads. */
  put(value: T, name: ValueId): void;
}

/**
 * Writes a block's projections, scores and heads. Everything between the product and the probabilities (scale, masks,
 * softmax, guard) stays the model's own: the new products take the names of the old ones.
 *
 * @returns names of the values that the old products made and the new nodes make now.
 * @throws TypeError where the block cannot take such a form; see {@link canonicalObstacle}.
 */
export function writeCanonicalBlock<T>(
  writer: BlockWriter<T>,
  block: AttentionBlock,
  replacement: CanonicalReplacement,
): readonly ValueId[] {
  const { axes } = block;
  const { port } = writer;
  const obstacle = canonicalObstacle(block);
  if (!axes || obstacle !== null) throw new TypeError(`${block.chain.softmax.source}: ${obstacle}`);
  const inputs = blockInputs(writer, block);
  const scores = block.chain.product.outputs[0] as ValueId;
  const context = block.chain.context.outputs[0] as ValueId;

  const steps = headSteps(writer, block);
  const { numHeads } = block;
  const merge = (value: T) => (axes.merged === null ? value : mergeLeading(port, value));
  const split = (value: T) =>
    axes.merged === null ? value : splitLeading(port, value, axes.merged === 'head' ? [-1, numHeads] : [numHeads, -1]);
  const rules: ScoreRules<T> = {
    sameForAllHeads: block.sameForAllHeads && block.readOutside.length === 0 && !block.sizeRead && axes.merged === null,
    beforeSoftmax: (value) => {
      writer.put(merge(inOrder(port, value, axes.scores)), scores);
      return value;
    },
    ...(replacement.form === 'factorised' && block.chain.after.some(({ step }) => step.kind === 'guard')
      ? { guardEmptyRows: (value: T) => port.where(port.isNaN(value), port.constant(Float64Array.of(0), []), value) }
      : {}),
  };
  // The model's own softmax already stands between the scores and the probabilities.
  const around: TensorPort<T> = {
    ...port,
    softmax: (value) => inOrder(port, split(writer.probabilities(value)), axes.probabilities),
  };

  if (replacement.form === 'factorised') {
    const heads = attendFactorisedMheHeadsLast(around, replacement.weights, inputs, rules);
    const merged = headsLastTarget(block);
    if (merged !== undefined) {
      writer.put(heads, merged);
      return [scores, merged];
    }
    writer.put(inOrder(port, port.transpose(heads, [0, 2, 1, 3]), axes.context), context);
    return [scores, context];
  }
  const heads =
    replacement.form === 'direct'
      ? attendMhe(around, unfoldMhe(replacement.weights, replacement.embedding), inputs, rules, steps)
      : attendFoldedMhe(around, replacement.weights, inputs, rules, steps);
  writer.put(merge(inOrder(port, heads, axes.context)), context);
  const made = [block.key, block.value].flatMap(({ cache, restated }) => [
    ...(cache ? [cache.joined] : []),
    ...restated.map(({ value }) => value),
  ]);
  return [scores, context, ...made];
}

/** The streams, the same tensor where they are the same. */
function blockInputs<T>(writer: BlockWriter<T>, block: AttentionBlock): AttentionInputs<T> {
  const known = new Map<string, T>();
  const tensorOf = (stream: Stream): T => {
    const key = `${stream.value}|${stream.axes}`;
    const tensor = known.get(key) ?? writer.stream(stream);
    known.set(key, tensor);
    return tensor;
  };
  const [query, key, value] = [block.query, block.key, block.value].map(({ stream }) => tensorOf(stream as Stream));
  return { query, key, value } as AttentionInputs<T>;
}

/** The model's transpose of its heads to `[batch, query, head, feature]`, where it is all that reads them. */
function headsLastTarget(block: AttentionBlock): ValueId | undefined {
  const first = block.output.layout[0];
  const inOrder = block.axes?.context.every((axis, i) => axis === i);
  if (!inOrder || block.output.contextRead || first?.operator.kind !== 'transpose') return undefined;
  return first.operator.permutation?.join() === '0,2,1,3' ? first.outputs[0] : undefined;
}
