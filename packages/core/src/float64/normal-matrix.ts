import type { Matrix } from './matrix.js';
import { seededRandom } from './random.js';

/** A matrix of independent standard normal numbers. */
export function normalMatrix(rows: number, cols: number, seed: number): Matrix {
  const random = seededRandom(seed);
  return { rows, cols, data: Float64Array.from({ length: rows * cols }, random.normal) };
}
