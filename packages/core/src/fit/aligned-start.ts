import { Matrix as MlMatrix, SingularValueDecomposition } from 'ml-matrix';
import { fromMlMatrix } from '../float64/ml-matrix.js';
import { coreSlices } from './core-slices.js';
import type { ScoreForms } from './score-forms.js';
import type { SharedForm } from './shared-form.js';

/** A head's query and key side in a balanced basis, one below the other: `[queryRows + keyRows, headDim]`. */
type Sides = MlMatrix;

/**
 * A start from the mean of the heads, each first turned to the others (generalised Procrustes; Gower 1975): a head is
 * only defined up to a change of basis. Never exact, but close where heads are alike.
 *
 * @param core - compressed forms.
 */
export function alignedStart(core: ScoreForms): SharedForm {
  const slices = coreSlices(core);
  // The largest head leads, for the others to turn to.
  const sides = slices.map((slice) => balancedSides(slice, core.headDim)).sort((a, b) => norm(b) - norm(a));
  const mean = alignAll(sides).div(sides.length);
  return {
    query: fromMlMatrix(mean.subMatrix(0, core.query.rows - 1, 0, core.headDim - 1)),
    key: fromMlMatrix(mean.subMatrix(core.query.rows, mean.rows - 1, 0, core.headDim - 1)),
    gain: fromMlMatrix(MlMatrix.ones(slices.length, core.headDim)),
  };
}

function norm(sides: Sides): number {
  return sides.norm('frobenius');
}

/** `slice = (left sqrt(s)) (right sqrt(s))^T`, filled up with zero columns. */
function balancedSides(slice: MlMatrix, headDim: number): Sides {
  const { leftSingularVectors, rightSingularVectors, diagonal } = decompose(slice);
  const sides = MlMatrix.zeros(slice.rows + slice.columns, headDim);
  for (let f = 0; f < Math.min(headDim, diagonal.length); f++) {
    const root = Math.sqrt(diagonal[f] as number);
    for (let r = 0; r < slice.rows; r++) sides.set(r, f, root * leftSingularVectors.get(r, f));
    for (let r = 0; r < slice.columns; r++) sides.set(slice.rows + r, f, root * rightSingularVectors.get(r, f));
  }
  return sides;
}

/** Turns each to the sum of those before it; the sum at the end. */
function alignAll(sides: readonly Sides[]): Sides {
  const [first, ...rest] = sides as [Sides, ...Sides[]];
  const sum = first.clone();
  for (const one of rest) sum.add(one.mmul(rotation(one, sum)));
  return sum;
}

/** The rotation `R` that brings `from R` closest to `to`. */
function rotation(from: Sides, to: Sides): MlMatrix {
  const { leftSingularVectors, rightSingularVectors } = decompose(from.transpose().mmul(to));
  return leftSingularVectors.mmul(rightSingularVectors.transpose());
}

function decompose(matrix: MlMatrix): SingularValueDecomposition {
  return new SingularValueDecomposition(matrix, { autoTranspose: true });
}
