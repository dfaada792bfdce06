import { EigenvalueDecomposition, inverse, Matrix as MlMatrix } from 'ml-matrix';
import { fromMlMatrix, toMlMatrix } from '../float64/ml-matrix.js';
import { type SeededRandom, seededRandom } from '../float64/random.js';
import { coreSlices } from './core-slices.js';
import type { ScoreForms } from './score-forms.js';
import type { SharedForm } from './shared-form.js';

/**
 * A start from the matrix pencil (Jennrich; Leurgans, Ross, Abel 1993): were the slices `U diag(g_h) V^T`, the
 * eigenvectors of one random combination of them against another would be the columns of `U`. Exact for heads that
 * really share. For others eigenvalues come in complex pairs, whose real and imaginary parts serve.
 *
 * @param core - compressed forms.
 * @returns `null` where the slices do not span `headDim` dimensions on both sides.
 */
export function pencilStart(core: ScoreForms, seed: number): SharedForm | null {
  const { headDim } = core;
  if (core.query.rows < headDim || core.key.rows < headDim) return null;
  const slices = coreSlices(core).map(toMlMatrix);
  const random = seededRandom(seed);
  const one = combine(slices, random);
  const other = combine(slices, random);
  try {
    const query = new EigenvalueDecomposition(one.mmul(inverse(other))).eigenvectorMatrix;
    const start = solveRest(query, inverse(query), slices);
    return [start.query, start.key, start.gain].every(({ data }) => data.every(Number.isFinite)) ? start : null;
  } catch {
    // The library refuses singular matrices: the slices span less than they should.
    return null;
  }
}

function combine(slices: readonly MlMatrix[], random: SeededRandom): MlMatrix {
  return slices.reduce<MlMatrix>((sum, slice) => sum.add(MlMatrix.mul(slice, random.normal())), sumOfNone(slices));
}

function sumOfNone([first]: readonly MlMatrix[]): MlMatrix {
  return MlMatrix.zeros(first?.rows ?? 0, first?.columns ?? 0);
}

/** With `U` known, row `f` of `U^-1 M_h` is `g_hf v_f`: the best gains and key column are a matrix of rank one. */
function solveRest(query: MlMatrix, inverseQuery: MlMatrix, slices: readonly MlMatrix[]): SharedForm {
  const rows = slices.map((slice) => inverseQuery.mmul(slice));
  const gain = MlMatrix.zeros(slices.length, query.columns);
  const key = MlMatrix.zeros(query.rows, query.columns);
  for (let f = 0; f < query.columns; f++) {
    const byHead = new MlMatrix(rows.map((row) => row.getRow(f)));
    const { eigenvectorMatrix } = new EigenvalueDecomposition(byHead.mmul(byHead.transpose()), {
      assumeSymmetric: true,
    });
    // The library sorts eigenvalues upwards.
    const gains = eigenvectorMatrix.getColumnVector(slices.length - 1);
    gain.setColumn(f, gains);
    key.setColumn(f, byHead.transpose().mmul(gains));
  }
  return { query: fromMlMatrix(query), key: fromMlMatrix(key), gain: fromMlMatrix(gain) };
}
