import type { Projection } from '../attention/weights.js';
import { cutColumns } from '../float64/cut.js';
import type { Matrix } from '../float64/matrix.js';
import { transpose } from '../float64/transpose.js';
import { zeros } from '../float64/zeros.js';
import { headColumns } from './head-columns.js';
import { forEachPair } from './pair-losses.js';
import { fitQueryKey, type QueryKeyOptions } from './query-key.js';
import type { QueryKeyGroup } from './query-key-group.js';
import type { PlaneGram } from './rotary-planes.js';
import { combinePlane, shareKeyInPlane, sharePlane } from './rotary-planes.js';
import type { RotaryProblem } from './rotary-problem.js';
import { formEnergies, selectForms, total } from './score-forms.js';
import { fitValue } from './value.js';

/**
 * MHE-MUL under a rotation by position: one query and one key vector in each plane, with a real gain for each head that is
 * the same for both features. Features that are not rotated are shared as without a rotation.
 */
export async function rotaryGroup(
  problem: RotaryProblem,
  heads: readonly number[],
  options: QueryKeyOptions,
): Promise<QueryKeyGroup> {
  const { planes, forms } = problem;
  const { query: queryGrams, key: keyGrams } = problem.grams();
  const { headDim } = forms;
  const shared = { query: zeros(forms.query.rows, headDim), key: zeros(forms.key.rows, headDim) };
  const gain = zeros(heads.length, headDim);
  let [energy, rest] = [0, 0];
  for (const [p, plane] of planes.entries()) {
    await options.pace();
    const found = sharePlane(queryGrams[p] as PlaneGram, keyGrams[p] as PlaneGram, heads);
    energy += found.energy;
    rest += found.rest;
    place(shared.query, plane, combinePlane({ forms, heads, plane }, 'query', found.query));
    place(shared.key, plane, combinePlane({ forms, heads, plane }, 'key', found.key));
    heads.forEach((_, h) => {
      for (const feature of plane) gain.data[h * headDim + feature] = found.gain[h] as number;
    });
  }
  balance(shared, planes);
  const still = unrotated(problem);
  let sweeps = 0;
  if (still.length > 0) {
    const part = pickFeatures(selectForms(forms, heads), still);
    const fitted = await fitQueryKey(part, options);
    const partEnergy = total(formEnergies(part));
    energy += partEnergy;
    rest += partEnergy * fitted.error;
    sweeps = fitted.sweeps;
    still.forEach((feature, i) => {
      for (const side of ['query', 'key'] as const) setColumn(shared[side], feature, column(fitted.shared[side], i));
      heads.forEach((_, h) => {
        gain.data[h * headDim + feature] = fitted.shared.gain.data[h * still.length + i] as number;
      });
    });
  }
  return {
    heads,
    query: problem.projection('query', shared.query),
    key: problem.projection('key', shared.key),
    gain,
    bias: null,
    error: energy > 0 ? rest / energy : 0,
    sweeps,
  };
}

/** One key projection for some heads whose queries stay their own. */
export interface SharedKeyGroup {
  readonly heads: readonly number[];
  /** Of each of the heads. */
  readonly queries: readonly Projection[];
  readonly key: Projection;
  readonly error: number;
}

/** Shares keys under a rotation by position. Of features that are not rotated a space of directions is shared. */
export function rotarySharedKeys(problem: RotaryProblem, heads: readonly number[], seed: number): SharedKeyGroup {
  const { planes, forms } = problem;
  const { query: queryGrams, key: keyGrams } = problem.grams();
  const key = zeros(forms.key.rows, forms.headDim);
  const queries = heads.map((head) => headColumns(forms.query, [head], forms.headDim));
  let [energy, rest] = [0, 0];
  for (const [p, plane] of planes.entries()) {
    const found = shareKeyInPlane(queryGrams[p] as PlaneGram, keyGrams[p] as PlaneGram, heads);
    energy += found.energy;
    rest += found.rest;
    place(key, plane, combinePlane({ forms, heads, plane }, 'key', found.key));
    heads.forEach((head, h) => {
      const factor = Float64Array.of(found.gain[h] as number, found.gain[heads.length + h] as number);
      place(queries[h] as Matrix, plane, combinePlane({ forms, heads: [head], plane }, 'query', factor));
    });
  }
  const still = unrotated(problem);
  if (still.length > 0) {
    const part = pickFeatures(selectForms(forms, heads), still);
    const values = { numHeads: heads.length, valueHeadDim: still.length };
    const shared = fitValue({ ...values, value: part.key, output: transpose(part.query) }, seed);
    const partEnergy = total(formEnergies(part));
    energy += partEnergy;
    rest += partEnergy * shared.error;
    const factors = transpose(shared.output);
    still.forEach((feature, i) => {
      setColumn(key, feature, column(shared.value, i));
      heads.forEach((_, h) => {
        setColumn(queries[h] as Matrix, feature, column(factors, h * still.length + i));
      });
    });
  }
  return {
    heads,
    queries: queries.map((query) => problem.projection('query', query)),
    key: problem.projection('key', key),
    error: energy > 0 ? rest / energy : 0,
  };
}

/** What two heads lose when they share, for the choice of the groups. */
export function rotaryPairLosses(problem: RotaryProblem, hasOwnQueries: boolean): Matrix {
  const { query, key } = problem.grams();
  const { numHeads } = problem.forms;
  return forEachPair(numHeads, (a, b) => {
    let loss = 0;
    for (const p of problem.planes.keys()) {
      const found = hasOwnQueries
        ? shareKeyInPlane(query[p] as PlaneGram, key[p] as PlaneGram, [a, b])
        : sharePlane(query[p] as PlaneGram, key[p] as PlaneGram, [a, b], 8);
      loss += found.rest;
    }
    return loss;
  });
}

/** Features of a head that no plane holds. */
function unrotated({ planes, forms }: RotaryProblem): number[] {
  const turned = new Set(planes.flat());
  return Array.from({ length: forms.headDim }, (_, f) => f).filter((f) => !turned.has(f));
}

function pickFeatures({ numHeads, headDim, query, key }: RotaryProblem['forms'], features: readonly number[]) {
  const columns = Array.from({ length: numHeads }, (_, h) => features.map((f) => h * headDim + f)).flat();
  const pick = (side: Matrix) => headColumns(side, columns, 1);
  return { numHeads, headDim: features.length, query: pick(query), key: pick(key) };
}

/** Queries and keys of one size in each plane. */
function balance(shared: { readonly query: Matrix; readonly key: Matrix }, planes: RotaryProblem['planes']): void {
  for (const plane of planes) {
    const size = (side: Matrix) =>
      Math.sqrt(plane.reduce((sum, f) => sum + column(side, f).reduce((total, x) => total + x * x, 0), 0));
    const [query, key] = [size(shared.query), size(shared.key)];
    if (!(query > 0) || !(key > 0)) continue;
    const factor = Math.sqrt(key / query);
    for (const f of plane) {
      setColumn(
        shared.query,
        f,
        column(shared.query, f).map((x) => x * factor),
      );
      setColumn(
        shared.key,
        f,
        column(shared.key, f).map((x) => x / factor),
      );
    }
  }
}

function place(
  matrix: Matrix,
  [a, b]: readonly [number, number],
  [first, second]: readonly [Float64Array, Float64Array],
) {
  setColumn(matrix, a, first);
  setColumn(matrix, b, second);
}

function column(matrix: Matrix, at: number): Float64Array {
  return cutColumns(matrix, at, 1).data;
}

function setColumn({ cols, data }: Matrix, at: number, values: Float64Array): void {
  values.forEach((value, r) => {
    data[r * cols + at] = value;
  });
}
