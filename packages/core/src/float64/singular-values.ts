import { SingularValueDecomposition } from 'ml-matrix';
import type { Matrix } from './matrix.js';
import { fromMlMatrix, toMlMatrix } from './ml-matrix.js';

/** `matrix = left diag(values) right^T`, `left` and `right` with orthonormal columns. */
export interface SingularValues {
  readonly left: Matrix;
  readonly values: readonly number[];
  readonly right: Matrix;
}

/** The singular value decomposition of a small matrix, by the library. */
export function singularValues(matrix: Matrix): SingularValues {
  const { leftSingularVectors, diagonal, rightSingularVectors } = new SingularValueDecomposition(toMlMatrix(matrix), {
    autoTranspose: true,
  });
  return { left: fromMlMatrix(leftSingularVectors), values: diagonal, right: fromMlMatrix(rightSingularVectors) };
}
