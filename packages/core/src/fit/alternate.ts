import { cholesky } from '../float64/cholesky.js';
import type { Matrix } from '../float64/matrix.js';
import { gram, product, transposedProduct } from '../float64/product.js';
import { choleskySolve } from '../float64/triangular-solve.js';
import { zeros } from '../float64/zeros.js';
import { addScaled, columnEnergies, hadamard, scaleBlocks, scaleColumns, sumBlocks } from './elementwise.js';
import type { Pace } from './pace.js';
import { formEnergies, type ScoreForms, total } from './score-forms.js';
import type { SharedForm } from './shared-form.js';

/** When to stop. */
export interface AlternateOptions {
  readonly maxSweeps: number;
  /** Stop when a sweep lowers the error by less than this share of it. */
  readonly tolerance: number;
  readonly pace: Pace;
  /** After each sweep that is kept. */
  readonly onSweep?: (sweep: number, error: number) => void;
}

/** Where the sweeps arrived. */
export interface Alternated {
  readonly shared: SharedForm;
  /** Share of the forms' energy that is left over, 0 to 1. */
  readonly error: number;
  readonly sweeps: number;
}

/** What a sweep needs of the one before. */
interface State extends SharedForm {
  /** `V_h^T key` of all heads, one below the other: `[numHeads * headDim, headDim]`. */
  readonly keyProducts: Matrix;
  readonly error: number;
}

/** Errors this small are rounding. */
const ROUNDING = 1e-15;

/** Weight of the former solution, relative to the mean diagonal: decides what the forms leave open, costs nothing else. */
const PROXIMAL = 1e-11;

/**
 * Finds a shared form by alternating least squares (CP decomposition; Carroll and Chang 1970, Harshman 1970): query
 * side, key side and gains in turn, each the best for the others. Between sweeps it runs ahead in the direction of the
 * last one (Nesterov's rule, with a restart whenever that does not pay; Mitchell, Ye, De Sterck 2020), which halves the
 * number of sweeps. The error never rises from one sweep to the next.
 *
 * One sweep costs about `2 numHeads headDim^2 (queryRows + keyRows)` multiply-adds.
 */
export async function alternate(forms: ScoreForms, start: SharedForm, options: AlternateOptions): Promise<Alternated> {
  const energy = total(formEnergies(forms));
  let previous: State | null = null;
  let current: State = {
    ...start,
    keyProducts: transposedProduct(forms.key, start.key),
    error: Number.POSITIVE_INFINITY,
  };
  let sweeps = 0;
  let run = 0;
  while (sweeps < options.maxSweeps) {
    await options.pace();
    const momentum = previous && run > 1 ? (run - 1) / (run + 2) : 0;
    const from = previous && momentum > 0 ? runAhead(current, previous, momentum) : current;
    const next = sweep(forms, from, energy);
    const gained = current.error - next.error;
    if (momentum > 0 && !(gained >= 0)) {
      run = 0;
      continue;
    }
    sweeps++;
    run++;
    if (!(gained >= 0)) break;
    previous = current;
    current = next;
    options.onSweep?.(sweeps, next.error);
    if (next.error < ROUNDING || gained < options.tolerance * next.error) break;
  }
  const { query, key, gain, error } = current;
  return { shared: { query, key, gain }, error, sweeps };
}

function sweep(forms: ScoreForms, from: State, energy: number): State {
  const weights = gram(from.gain);
  const query = solveFactor(forms.query, from.keyProducts, from.gain, hadamard(gram(from.key), weights), from.query);
  const queryGram = gram(query);
  const queryProducts = transposedProduct(forms.query, query);
  const key = solveFactor(forms.key, queryProducts, from.gain, hadamard(queryGram, weights), from.key);
  const keyProducts = transposedProduct(forms.key, key);
  const normal = hadamard(queryGram, gram(key));
  const target = sumBlocks(hadamard(queryProducts, keyProducts), forms.numHeads);
  const gain = product(addScaled(target, from.gain, proximal(normal)), invert(normal));
  return balance({ query, key, gain, keyProducts, error: leftOver(energy, gain, target, normal) });
}

/** `(sum_h F_h B_h diag(g_h)) W^-1`, `F` the heads' own factors, `B` the other side's products. */
function solveFactor(factors: Matrix, products: Matrix, gain: Matrix, normal: Matrix, former: Matrix): Matrix {
  const target = product(factors, scaleBlocks(products, gain));
  return product(addScaled(target, former, proximal(normal)), invert(normal));
}

function proximal({ rows, data }: Matrix): number {
  let trace = 0;
  for (let i = 0; i < rows; i++) trace += data[i * rows + i] as number;
  return (PROXIMAL * trace) / rows || 1e-150;
}

/** `(normal + proximal I)^-1`. */
function invert(normal: Matrix): Matrix {
  const size = normal.rows;
  const identity = zeros(size, size);
  for (let i = 0; i < size; i++) identity.data[i * size + i] = 1;
  const lower = cholesky(addScaled(normal, identity, proximal(normal)));
  if (!lower) throw new Error('[mhe] the fit of queries and keys met numbers that are not finite: check the weights');
  return choleskySolve(lower, identity);
}

/** Squared distance to all forms as a share of their energy, from the terms of the gains' least squares. */
function leftOver(energy: number, gain: Matrix, target: Matrix, normal: Matrix): number {
  const fitted = product(gain, normal);
  let rest = energy;
  for (let at = 0; at < gain.data.length; at++) {
    rest += (gain.data[at] as number) * ((fitted.data[at] as number) - 2 * (target.data[at] as number));
  }
  return Math.max(0, rest / energy);
}

/** Columns of both sides equally long, gains of mean square one: nothing drifts off from sweep to sweep. */
function balance(state: State): State {
  const query = columnEnergies(state.query);
  const key = columnEnergies(state.key);
  const gain = columnEnergies(state.gain).map((x) => x / state.gain.rows);
  const size = query.map((x, f) => (x * (key[f] as number) * (gain[f] as number)) ** 0.25);
  const factor = (lengths: Float64Array) => lengths.map((x, f) => (size[f] ? (size[f] as number) / Math.sqrt(x) : 1));
  return {
    ...state,
    query: scaleColumns(state.query, factor(query)),
    key: scaleColumns(state.key, factor(key)),
    keyProducts: scaleColumns(state.keyProducts, factor(key)),
    gain: scaleColumns(
      state.gain,
      gain.map((x, f) => (size[f] ? 1 / Math.sqrt(x) : 1)),
    ),
  };
}

function runAhead(current: State, previous: State, momentum: number): State {
  const ahead = (now: Matrix, before: Matrix) => addScaled(now, addScaled(now, before, -1), momentum);
  return {
    ...current,
    key: ahead(current.key, previous.key),
    keyProducts: ahead(current.keyProducts, previous.keyProducts),
    gain: ahead(current.gain, previous.gain),
  };
}
