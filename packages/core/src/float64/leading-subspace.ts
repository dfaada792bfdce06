import { EigenvalueDecomposition } from 'ml-matrix';
import type { Matrix } from './matrix.js';
import { fromMlMatrix, toMlMatrix } from './ml-matrix.js';
import { normalMatrix } from './normal-matrix.js';
import { orthonormalise } from './orthonormalise.js';
import { product, transposedProduct } from './product.js';

/** The directions in which a symmetric positive semidefinite map is largest. */
export interface LeadingSubspace {
  /** `[dim, rank]`, orthonormal, the largest direction first. */
  readonly basis: Matrix;
  /** The map's size in each direction of `basis`: its eigenvalues. */
  readonly energies: Float64Array;
}

/** How long to iterate. */
export interface LeadingSubspaceOptions {
  readonly maxIterations: number;
  /** Stop when an iteration adds less than this share of the energy that is held. */
  readonly tolerance: number;
  /** Directions carried along to speed up the last ones, at right angles to them. */
  readonly spare: number;
  readonly seed: number;
}

/**
 * Eigenvectors of the largest eigenvalues, by block power iteration with Rayleigh-Ritz at the end (Halko, Martinsson,
 * Tropp 2011), for maps that are only known by what they do to a block of columns.
 *
 * @param apply - the map: columns `[dim, block]` to as many.
 * @param rank - at most `dim` directions are found.
 */
export function leadingSubspace(
  apply: (columns: Matrix) => Matrix,
  dim: number,
  rank: number,
  { maxIterations, tolerance, spare, seed }: LeadingSubspaceOptions,
): LeadingSubspace {
  let image = apply(normalMatrix(dim, Math.min(dim, rank + spare), seed));
  let held = 0;
  for (let iteration = 1; ; iteration++) {
    const basis = orthonormalise(image);
    image = apply(basis);
    const ritz = transposedProduct(basis, image);
    const energy = trace(ritz);
    if (iteration >= maxIterations || energy - held <= tolerance * energy) return select(basis, ritz, rank);
    held = energy;
  }
}

function trace({ rows, data }: Matrix): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += data[i * rows + i] as number;
  return sum;
}

/** The library sorts eigenvalues upwards. */
function select(basis: Matrix, ritz: Matrix, rank: number): LeadingSubspace {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(toMlMatrix(ritz), {
    assumeSymmetric: true,
  });
  const largestFirst = Array.from({ length: Math.min(rank, basis.cols) }, (_, i) => basis.cols - 1 - i);
  return {
    basis: product(basis, fromMlMatrix(eigenvectorMatrix.subMatrixColumn(largestFirst))),
    energies: Float64Array.from(largestFirst, (i) => realEigenvalues[i] as number),
  };
}
