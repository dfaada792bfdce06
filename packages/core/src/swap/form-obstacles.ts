import { isIdentity } from '../attention/head-groups.js';
import type { AttentionBlock } from '../find/block.js';
import type { PlacedStep } from '../find/scores.js';
import type { Stream } from '../find/stream.js';

/** Whether a stream has the one batch axis that forms with an axis of heads take. */
export function isRegular(stream: Stream | undefined): stream is Stream {
  return stream !== undefined && stream.axes.filter((axis) => axis === 'batch').length === 1;
}

/** Why a block cannot take the forms whose heads are an axis of their own, as a clause; `null` where it can. */
export function canonicalObstacle(block: AttentionBlock): string | null {
  const isMerged = block.axes?.merged !== null;
  // Which then is faster, as nothing has to be moved.
  if (isMerged && widenedObstacle(block) === null) {
    return 'its heads are not an axis of their own (merged with the batch)';
  }
  if (!block.axes) return 'its batch and its heads are not one axis each';
  const irregular = [block.query, block.key, block.value].find(({ stream }) => !isRegular(stream));
  return irregular
    ? `its input "${irregular.traced.projection.stream}" has no batch and sequence axes of their own`
    : null;
}

/** Why a block cannot take the factorised form, beyond what that form itself says; `null` where it can. */
export function factorisedBlockObstacle(block: AttentionBlock): string | null {
  if (block.key.cache || block.value.cache) return 'its keys or values are kept in a cache';
  if (block.query.rotation) return 'its queries and keys are rotated by position';
  if (block.query.norm || block.key.norm) return 'its queries and keys are normalised';
  if (block.axes?.merged !== null) return 'its heads are merged with the batch';
  if (!block.sameForAllHeads) return 'its mask or bias differs between heads';
  if (block.readOutside.length > 0) return 'its scores or probabilities are read outside the block';
  if (block.sizeRead) return 'something asks for the size of its scores, the number of heads in it';
  const steps = [...block.chain.before, ...block.chain.after];
  // A transpose does not mind how many heads there are.
  const fixesHeads = ({ step, node }: PlacedStep) =>
    step.kind === 'layout' && node.operator.kind !== 'transpose' && node.operator.kind !== 'identity';
  if (steps.some(fixesHeads)) return 'its scores are reshaped, for a fixed number of heads';
  if (steps.some(({ step }) => step.kind === 'clamp')) return 'its scores are clamped';
  if (steps.some(({ step }) => step.kind === 'cap')) return 'its scores are capped';
  if (steps.some(({ step }) => step.kind === 'multiply')) return 'its scores are multiplied by a mask';
  if (block.chain.after.some(({ step }) => step.kind === 'mask'))
    return 'its probabilities are masked after the softmax';
  return null;
}

/** Why a block cannot take the widened form, as a clause; `null` where it can. */
export function widenedObstacle(block: AttentionBlock): string | null {
  if (block.key.cache || block.value.cache) return 'its keys or values are kept in a cache';
  if (block.query.rotation) return 'its queries and keys are rotated by position';
  if (block.query.norm || block.key.norm) return 'its queries and keys are normalised';
  if (!isIdentity(block.groups.queryKey) || !isIdentity(block.groups.value)) {
    return 'its heads share keys or values already';
  }
  const odd = [block.query, block.key, block.value].find(({ traced }) => traced.projection.columnAxes.length !== 1);
  return odd ? `its projection ${odd.traced.projection.node.source} has columns on several axes` : null;
}
