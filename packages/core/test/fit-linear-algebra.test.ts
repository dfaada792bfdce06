import { type Matrix, seededRandom } from '@mhe/core';
import fc from 'fast-check';
import { EigenvalueDecomposition, inverse, solve } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { cholesky } from '../src/float64/cholesky.js';
import { flooredCholesky } from '../src/float64/floored-cholesky.js';
import { leadingSubspace } from '../src/float64/leading-subspace.js';
import { orthonormalise } from '../src/float64/orthonormalise.js';
import { gram, product, transposedProduct, transposedTriangleProduct } from '../src/float64/product.js';
import { choleskySolve, solveLower, solveTransposed } from '../src/float64/triangular-solve.js';
import { fromDense, matrix, toDense } from './fit-cases.js';

// Sizes on both sides of a tile (4) and of a strip (48, 64).
const size = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(47, 48, 49, 63, 64, 65, 100));
const shapes = fc.record({ seed: fc.nat(), rows: size, inner: size, cols: size });
const runs = { numRuns: 40, seed: 1 };

function expectClose(got: Matrix, expected: Matrix, tolerance = 1e-11): void {
  expect([got.rows, got.cols]).toEqual([expected.rows, expected.cols]);
  const largest = expected.data.reduce((max, x) => Math.max(max, Math.abs(x)), 1e-300);
  const difference = expected.data.reduce((max, x, i) => Math.max(max, Math.abs(x - (got.data[i] as number))), 0);
  expect(difference / largest).toBeLessThan(tolerance);
}

function definite(dim: number, seed: number): Matrix {
  return gram(matrix(dim + 10, dim, seededRandom(seed)));
}

function lowerPart(a: Matrix): Matrix {
  return { ...a, data: a.data.map((x, at) => (at % a.cols > Math.floor(at / a.cols) ? 0 : x)) };
}

describe('products', () => {
  it('are those of the library', () => {
    fc.assert(
      fc.property(shapes, ({ seed, rows, inner, cols }) => {
        const random = seededRandom(seed);
        const a = matrix(rows, inner, random);
        const b = matrix(inner, cols, random);
        const c = matrix(rows, cols, random);
        expectClose(product(a, b), fromDense(toDense(a).mmul(toDense(b))));
        expectClose(transposedProduct(a, c), fromDense(toDense(a).transpose().mmul(toDense(c))));
        expectClose(gram(a), fromDense(toDense(a).transpose().mmul(toDense(a))));
      }),
      runs,
    );
  });

  it('with a triangle skip nothing but its zeros', () => {
    fc.assert(
      fc.property(shapes, ({ seed, rows, cols }) => {
        const random = seededRandom(seed);
        const lower = lowerPart(matrix(rows, rows, random));
        const b = matrix(rows, cols, random);
        expectClose(transposedTriangleProduct(lower, b), fromDense(toDense(lower).transpose().mmul(toDense(b))));
      }),
      runs,
    );
  });
});

describe('Cholesky', () => {
  it('multiplies back to the matrix, and solves as the library does', () => {
    fc.assert(
      fc.property(shapes, ({ seed, rows, cols }) => {
        const a = definite(rows, seed);
        const b = matrix(rows, cols, seededRandom(seed + 1));
        const lower = cholesky(a) as Matrix;
        expect(lower).toEqual(lowerPart(lower));
        expectClose(fromDense(toDense(lower).mmul(toDense(lower).transpose())), a);
        expectClose(choleskySolve(lower, b), fromDense(solve(toDense(a), toDense(b))), 1e-8);
        expectClose(solveLower(lower, b), fromDense(inverse(toDense(lower)).mmul(toDense(b))), 1e-8);
        expectClose(solveTransposed(lower, b), fromDense(inverse(toDense(lower)).transpose().mmul(toDense(b))), 1e-8);
      }),
      { ...runs, numRuns: 20 },
    );
  });

  it('refuses what is not positive definite', () => {
    const a = definite(70, 0);
    for (const at of [0, 30, 69]) {
      const data = a.data.slice();
      data[at * 70 + at] = -1;
      expect(cholesky({ ...a, data })).toBeNull();
    }
    expect(cholesky({ rows: 1, cols: 1, data: Float64Array.of(Number.NaN) })).toBeNull();
  });

  it('raises the floor until the factor exists, and says by how much', () => {
    const a = definite(20, 3);
    const { realEigenvalues } = new EigenvalueDecomposition(toDense(a), { assumeSymmetric: true });
    // As float32 sums leave it: the smallest direction is a little below zero.
    const shift = (realEigenvalues[0] as number) * 1.01;
    const indefinite = { ...a, data: a.data.map((x, at) => (at % 21 === 0 ? x - shift : x)) };
    expect(cholesky(indefinite)).toBeNull();
    const { lower, floor } = flooredCholesky(indefinite, 1e-12);
    const raised = { ...a, data: indefinite.data.map((x, at) => (at % 21 === 0 ? x + floor : x)) };
    expectClose(fromDense(toDense(lower).mmul(toDense(lower).transpose())), raised);
    expect(floor).toBeLessThan(20 * shift);
  });

  it('names what is wrong with numbers that are not finite', () => {
    const broken = { rows: 2, cols: 2, data: Float64Array.of(1, Number.NaN, Number.NaN, 1) };
    expect(() => flooredCholesky(broken, 1e-8)).toThrow(/not finite/);
  });
});

describe('orthonormal columns', () => {
  it('span the columns, near dependence included', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 12 }), fc.constantFrom(0, 4, 8), (seed, cols, decades) => {
        const random = seededRandom(seed);
        const sizes = Float64Array.from({ length: cols }, (_, c) => 10 ** ((-decades * c) / cols));
        const mixed = matrix(40, cols, random).data.map((x, at) => x * (sizes[at % cols] as number));
        const a = product({ rows: 40, cols, data: mixed }, matrix(cols, cols, random));
        const basis = orthonormalise(a);
        expectClose(gram(basis), identity(cols), 1e-12);
        expectClose(product(basis, transposedProduct(basis, a)), a, 1e-9);
      }),
      runs,
    );
  });

  it('are zeros or noise, but numbers, where columns are missing', () => {
    const zero = { rows: 5, cols: 3, data: new Float64Array(15) };
    expect(orthonormalise(zero).data.every(Number.isFinite)).toBe(true);
    const twice = fromDense(
      toDense(matrix(5, 1, seededRandom(0))).mmul(toDense({ rows: 1, cols: 3, data: Float64Array.of(1, 2, 0) })),
    );
    expect(orthonormalise(twice).data.every(Number.isFinite)).toBe(true);
  });
});

describe('the leading subspace', () => {
  it('holds what the largest eigenvectors hold', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 6 }), (seed, rank) => {
        const a = definite(30, seed);
        const options = { maxIterations: 200, tolerance: 1e-13, spare: rank, seed };
        const { basis, energies } = leadingSubspace((columns) => product(a, columns), 30, rank, options);
        const exact = new EigenvalueDecomposition(toDense(a), { assumeSymmetric: true });
        const largest = exact.realEigenvalues.slice(-rank).reverse();
        expectClose(
          { rows: 1, cols: rank, data: energies },
          { rows: 1, cols: rank, data: Float64Array.from(largest) },
          1e-8,
        );
        const held = transposedProduct(basis, product(a, basis));
        expectClose(
          { rows: 1, cols: 1, data: Float64Array.of(toDense(held).trace()) },
          { rows: 1, cols: 1, data: Float64Array.of(largest.reduce((sum, x) => sum + x, 0)) },
          1e-8,
        );
      }),
      runs,
    );
  });
});

function identity(n: number): Matrix {
  return { rows: n, cols: n, data: Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0)) };
}
