import type { GraphIndex } from '../graph/graph-index.js';
import type { OnnxModel } from '../graph/model.js';
import { decodeFloat, isFloatDtype } from '../tensor/decode-float.js';
import { dtypeOf } from '../tensor/dtype.js';
import { arrivals } from './arrivals.js';

/** A score below this is as good as minus infinity. */
const EXCLUDING = -1e3;

/**
 * What `true` means in a boolean mask, by the Where that it decides: whether there it is `true` or `false` that puts a
 * large negative number in place of a score.
 *
 * @returns whether `true` excludes; `null` where the graph does not tell.
 */
export function trueExcludes(index: GraphIndex, value: string, model: OnnxModel): boolean | null {
  const direct = arrivals(index, value, ['And', 'Or']);
  for (const { node, input } of direct) {
    if (node.opType !== 'Where' || input !== 0) continue;
    if (isExcluding(index, node.input[1] ?? '', model)) return true;
    if (isExcluding(index, node.input[2] ?? '', model)) return false;
  }
  for (const { node } of direct) {
    if (node.opType !== 'Not') continue;
    const negated = trueExcludes(index, node.output[0] ?? '', model);
    if (negated !== null) return !negated;
  }
  return null;
}

/** Whether a value is a constant that takes a score out of a softmax. */
function isExcluding(index: GraphIndex, value: string, model: OnnxModel): boolean {
  const tensor = index.constant(value);
  if (tensor !== undefined) {
    return isFloatDtype(dtypeOf(tensor)) && decodeFloat(tensor, model).some((item) => item <= EXCLUDING);
  }
  const producer = index.producer(value);
  const node = producer && index.node(producer.node);
  if (node === undefined) return false;
  if (node.opType === 'Cast' || node.opType === 'Expand') return isExcluding(index, node.input[0] ?? '', model);
  const filling = node.opType === 'ConstantOfShape' ? node.attribute[0]?.t : undefined;
  return filling !== undefined && isFloatDtype(dtypeOf(filling)) && (decodeFloat(filling, model)[0] ?? 0) <= EXCLUDING;
}
