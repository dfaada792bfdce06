import type {
  AttentionBlock,
  AttentionForm,
  AttentionInputs,
  FoldedMheWeights,
  PlacedStep,
  ScoreRules,
  TensorPort,
} from '@mhe/core';
import { attendFactorisedMheHeadsLast, attendFoldedMhe, attendMhe, unfoldMhe } from '@mhe/core';
import type { NodeBuilder } from './node-builder.js';
import { onnxPort } from './port.js';
import { isRegular, streamValue } from './stream-value.js';

/** What to put in a block's place. */
export interface Replacement {
  readonly weights: FoldedMheWeights;
  readonly embedding: 'mul' | 'add';
  readonly form: Exclude<AttentionForm, 'widened'>;
}

/** Why a block cannot take the forms whose heads are an axis of their own, as a clause; `null` where it can. */
export function canonicalObstacle(block: AttentionBlock): string | null {
  if (!block.axes) return 'its heads are not an axis of their own (merged with the batch)';
  const irregular = [block.query, block.key, block.value].find(({ stream }) => !isRegular(stream));
  return irregular
    ? `its input "${irregular.traced.projection.stream}" has no batch and sequence axes of their own`
    : null;
}

/** Why a block cannot take the factorised form, beyond what core's form itself says; `null` where it can. */
export function factorisedObstacle(block: AttentionBlock): string | null {
  if (!block.sameForAllHeads) return 'its mask or bias differs between heads';
  if (block.readOutside.length > 0) return 'its scores or probabilities are read outside the block';
  const steps = [...block.chain.before, ...block.chain.after];
  // A transpose does not mind how many heads there are.
  const fixesHeads = ({ step, node }: PlacedStep) =>
    step.kind === 'layout' && node.operator.kind !== 'transpose' && node.operator.kind !== 'identity';
  if (steps.some(fixesHeads)) return 'its scores are reshaped, for a fixed number of heads';
  if (steps.some(({ step }) => step.kind === 'clamp')) return 'its scores are clamped';
  if (steps.some(({ step }) => step.kind === 'multiply')) return 'its scores are multiplied by a mask';
  if (block.chain.after.some(({ step }) => step.kind === 'mask'))
    return 'its probabilities are masked after the softmax';
  return null;
}

/**
 * Emits a block's projections, scores and heads. Everything between the product and the probabilities (scale, masks,
 * softmax, guard) stays the model's own: the new products take the names of the old ones.
 *
 * @returns names of the values that the old products made and the new nodes make now.
 */
export function emitCanonicalBlock(
  builder: NodeBuilder,
  block: AttentionBlock,
  replacement: Replacement,
): readonly string[] {
  const axes = block.axes;
  const port = onnxPort(builder);
  const inputs = blockInputs(port, block);
  if (!axes || !inputs) throw new TypeError(`${block.chain.softmax.source}: ${canonicalObstacle(block)}`);
  const scores = block.chain.product.outputs[0] as string;
  const context = block.chain.context.outputs[0] as string;

  const ordered = (value: string, permutation: readonly number[]) =>
    permutation.every((axis, i) => axis === i) ? value : port.transpose(value, permutation);
  const rules: ScoreRules<string> = {
    sameForAllHeads: block.sameForAllHeads && block.readOutside.length === 0,
    beforeSoftmax: (value) => {
      builder.rename(ordered(value, axes.scores), scores);
      return scores;
    },
    ...(replacement.form === 'factorised' && block.chain.after.some(({ step }) => step.kind === 'guard')
      ? {
          guardEmptyRows: (value: string) =>
            port.where(port.isNaN(value), port.constant(Float64Array.of(0), []), value),
        }
      : {}),
  };
  // The model's own softmax already stands between the scores and the probabilities.
  const around: TensorPort<string> = {
    ...port,
    softmax: () => ordered(block.chain.probabilities, axes.probabilities),
  };

  if (replacement.form === 'factorised') {
    const heads = attendFactorisedMheHeadsLast(around, replacement.weights, inputs, rules);
    const merged = headsLastTarget(block);
    if (merged) {
      builder.rename(heads, merged);
      return [scores, merged];
    }
    builder.rename(ordered(port.transpose(heads, [0, 2, 1, 3]), axes.context), context);
    return [scores, context];
  }
  const heads =
    replacement.form === 'direct'
      ? attendMhe(around, unfoldMhe(replacement.weights, replacement.embedding), inputs, rules)
      : attendFoldedMhe(around, replacement.weights, inputs, rules);
  builder.rename(ordered(heads, axes.context), context);
  return [scores, context];
}

/** The streams as `[batch, sequence, channel]`, the same value where they are the same. */
function blockInputs(port: TensorPort<string>, block: AttentionBlock): AttentionInputs<string> | undefined {
  const known = new Map<string, string>();
  const inputs = [block.query, block.key, block.value].map(({ stream }) => {
    if (!isRegular(stream)) return undefined;
    const key = `${stream.value}|${stream.axes}`;
    const value = known.get(key) ?? streamValue(port, stream);
    known.set(key, value);
    return value;
  });
  const [query, key, value] = inputs;
  return query !== undefined && key !== undefined && value !== undefined ? { query, key, value } : undefined;
}

/** The model's transpose of its heads to `[batch, query, head, feature]`, where it is all that reads them. */
function headsLastTarget(block: AttentionBlock): string | undefined {
  const first = block.output.layout[0];
  const inOrder = block.axes?.context.every((axis, i) => axis === i);
  if (!inOrder || block.output.contextRead || first?.operator.kind !== 'transpose') return undefined;
  return first.operator.permutation?.join() === '0,2,1,3' ? first.outputs[0] : undefined;
}
