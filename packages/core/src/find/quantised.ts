import type { Inquiry } from './inquiry.js';
import { movesElements } from './layout.js';
import type { ViewNode } from './view.js';

/** Operators that quantise, or compute with quantised weights; of any domain. */
const QUANTISED =
  /(^|\.)(QuantizeLinear|DynamicQuantizeLinear|DequantizeLinear|MatMulInteger|ConvInteger|QLinear\w+|MatMulNBits|MatMulBnb4|GatherBlockQuantized|DynamicQuantizeMatMul|MatMulIntegerToFloat|QGemm)$/;

/** As many steps before a value are looked at: a scale, a bias and casts stand behind a quantised product. */
const DEEPEST = 6;

/** The quantised operator that a value comes from, right before it or before what scales, shifts or moves it. */
export function quantisedSource(inquiry: Inquiry, id: string, depth = 0): ViewNode | undefined {
  const node = inquiry.producer(id);
  if (!node || depth > DEEPEST || inquiry.isFixed(id)) return undefined;
  if (isQuantised(node)) return node;
  const { kind } = node.operator;
  if (kind !== 'binary' && kind !== 'cast' && !movesElements(node)) return undefined;
  for (const input of node.inputs) {
    const found = quantisedSource(inquiry, input, depth + 1);
    if (found) return found;
  }
  return undefined;
}

/** Whether a node quantises, or computes with quantised weights. */
export function isQuantised({ operator }: ViewNode): boolean {
  return operator.kind === 'opaque' && QUANTISED.test(operator.name);
}

/** What an operator is called in a reason: its node and its kind. */
export function named({ operator, source }: ViewNode): string {
  const name = operator.kind === 'opaque' || operator.kind === 'unary' ? operator.name : operator.kind;
  return `${source} (${name})`;
}
