import type { Operator } from './view.js';

/**
 * A product of two operands with a label for every axis, as in an einsum: labels in both operands and the result
 * are batch axes, labels in both operands alone are summed over.
 */
export interface Contraction {
  readonly a: readonly string[];
  readonly b: readonly string[];
  readonly out: readonly string[];
}

/** Whether an operator multiplies two tensors over shared axes. */
export function isProduct(operator: Operator): boolean {
  return operator.kind === 'matmul' || operator.kind === 'einsum' || operator.kind === 'pointwise';
}

/** The labels of a product whose operands have these ranks; `undefined` for anything else. */
export function contractionOf(operator: Operator, rankA: number, rankB: number): Contraction | undefined {
  switch (operator.kind) {
    case 'matmul': {
      const batch = Math.max(rankA, rankB) - 2;
      const a = operandLabels(rankA, batch, operator.transposeA ? ['k', 'i'] : ['i', 'k'], ['k']);
      const b = operandLabels(rankB, batch, operator.transposeB ? ['j', 'k'] : ['k', 'j'], ['k']);
      const leading = Array.from({ length: Math.max(0, batch) }, (_, axis) => `b${axis}`);
      return { a, b, out: [...leading, ...(rankA > 1 ? ['i'] : []), ...(rankB > 1 ? ['j'] : [])] };
    }
    case 'einsum': {
      const match = /^([A-Za-z]*),([A-Za-z]*)->([A-Za-z]*)$/.exec(operator.equation.replaceAll(' ', ''));
      if (!match) return undefined;
      const [a, b, out] = match.slice(1).map((term) => [...term]) as [string[], string[], string[]];
      const unique = [a, b, out].every((term) => new Set(term).size === term.length);
      const kept = out.every((label) => a.includes(label) || b.includes(label));
      // A label of one operand alone that the result drops is a sum besides the product.
      const used = [...a, ...b].every((label) => out.includes(label) || (a.includes(label) && b.includes(label)));
      return unique && kept && used && a.length === rankA && b.length === rankB ? { a, b, out } : undefined;
    }
    case 'pointwise': {
      const space = Array.from({ length: rankA - 2 }, (_, axis) => `s${axis}`);
      const unit = Array.from({ length: rankB - 2 }, (_, axis) => `unit${axis}`);
      return { a: ['n', 'c', ...space], b: ['o', 'c', ...unit], out: ['n', 'o', ...space] };
    }
    default:
      return undefined;
  }
}

function operandLabels(rank: number, batch: number, matrix: string[], vector: string[]): string[] {
  if (rank === 1) return vector;
  const leading = Array.from({ length: rank - 2 }, (_, axis) => `b${axis + batch - (rank - 2)}`);
  return [...leading, ...matrix];
}
