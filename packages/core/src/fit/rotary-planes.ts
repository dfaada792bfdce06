import type { Matrix } from '../float64/matrix.js';
import { gram } from '../float64/product.js';
import type { ScoreForms } from './score-forms.js';

/** What the heads of a group share in one plane, as weights of their own vectors there, and what tells them apart. */
interface Shared {
  /** Complex weights of the heads' key vectors, `[heads]` real parts, then imaginary ones. */
  readonly key: Float64Array;
  /** Energy of the heads' scores in the plane, and what of it is left over. */
  readonly energy: number;
  readonly rest: number;
}

/** One query and one key vector for all. */
interface SharedPlane extends Shared {
  /** Complex weights of the heads' query vectors, as `key`. */
  readonly query: Float64Array;
  /** What each head's query is multiplied by, `[heads]`. */
  readonly gain: readonly number[];
}

/** One key vector for all. */
interface SharedKeyPlane extends Shared {
  /** What each head's own query is multiplied by: `[heads]` real parts, then imaginary ones. */
  readonly gain: Float64Array;
}

/** Inner products `u_h^H u_k` of the heads' complex vectors in one plane: `[heads, heads]` real and imaginary parts. */
export interface PlaneGram {
  readonly real: Matrix;
  readonly imaginary: Matrix;
}

/**
 * Inner products of the heads' vectors `x_a + i x_b` in each plane `(a, b)`.
 *
 * @param side - `[rows, heads * headDim]`.
 */
export function planeGrams(
  side: Matrix,
  numHeads: number,
  planes: readonly (readonly [number, number])[],
): readonly PlaneGram[] {
  const products = gram(side);
  const headDim = side.cols / numHeads;
  const at = (h: number, a: number, k: number, b: number) =>
    products.data[(h * headDim + a) * products.cols + k * headDim + b] as number;
  return planes.map(([a, b]) => {
    const make = (value: (h: number, k: number) => number): Matrix => ({
      rows: numHeads,
      cols: numHeads,
      data: Float64Array.from({ length: numHeads * numHeads }, (_, i) => value(Math.floor(i / numHeads), i % numHeads)),
    });
    return {
      real: make((h, k) => at(h, a, k, a) + at(h, b, k, b)),
      imaginary: make((h, k) => at(h, a, k, b) - at(h, b, k, a)),
    };
  });
}

/** A complex number. */
type Complex = readonly [number, number];

const times = ([a, b]: Complex, [c, d]: Complex): Complex => [a * c - b * d, a * d + b * c];
const conjugate = ([a, b]: Complex): Complex => [a, -b];

/** Of the heads chosen, the inner products `u_h^H u_k`. */
function chosen({ real, imaginary }: PlaneGram, heads: readonly number[]): Complex[][] {
  return heads.map((h) =>
    heads.map((k) => [real.data[h * real.cols + k] as number, imaginary.data[h * real.cols + k] as number]),
  );
}

/** `u_h^H u` for each head, of a vector given by its weights. */
function against(products: readonly (readonly Complex[])[], weights: readonly Complex[]): Complex[] {
  return products.map((row) =>
    row.reduce<Complex>(
      (sum, product, k) => {
        const [re, im] = times(product, weights[k] as Complex);
        return [sum[0] + re, sum[1] + im];
      },
      [0, 0],
    ),
  );
}

/** `u^H u` of a vector given by its weights and its inner products with the heads'. */
function squaredNorm(weights: readonly Complex[], products: readonly Complex[]): number {
  return weights.reduce((sum, weight, h) => sum + times(conjugate(weight), products[h] as Complex)[0], 0);
}

const SWEEPS = 200;

/**
 * One query and one key vector for the heads of a group in one plane, with a real gain for each head: rotations by position
 * commute with a gain that is the same for both features of a plane, and with no other. A head scores in the plane with
 * `Re(x u_h (y v_h)^* e^(i angle))`; over all angles the errors of the forms `u_h v_h^H` count alike, so this is the best
 * `g_h u v^H`, by alternating least squares in the space of the heads' own vectors, from each head's own as the start.
 */
export function sharePlane(query: PlaneGram, key: PlaneGram, heads: readonly number[], sweeps = SWEEPS): SharedPlane {
  const n = heads.length;
  const [A, B] = [chosen(query, heads), chosen(key, heads)];
  let energy = 0;
  for (let h = 0; h < n; h++) energy += ((A[h] as Complex[])[h] as Complex)[0] * ((B[h] as Complex[])[h] as Complex)[0];

  let best: { a: Complex[]; b: Complex[]; g: number[]; rest: number } | undefined;
  for (let start = 0; start < n; start++) {
    let a = heads.map((_, h): Complex => [h === start ? 1 : 0, 0]);
    let b = a;
    let g: number[] = [];
    let rest = Number.POSITIVE_INFINITY;
    for (let sweep = 0; sweep < sweeps; sweep++) {
      // u_h^H u, v_h^H v.
      let [p, q] = [against(A, a), against(B, b)];
      let [uu, vv] = [squaredNorm(a, p), squaredNorm(b, q)];
      if (!(uu > 0) || !(vv > 0)) break;
      // <u v^H, u_h v_h^H> = (u^H u_h)(v_h^H v).
      g = heads.map((_, h) => times(conjugate(p[h] as Complex), q[h] as Complex)[0] / (uu * vv));
      const gg = g.reduce((sum, gain) => sum + gain * gain, 0);
      const left = energy - gg * uu * vv;
      const isDone = rest - left <= 1e-14 * energy;
      rest = left;
      if (isDone || !(gg > 0)) break;
      // u = sum g_h u_h (v_h^H v), v = sum g_h v_h (u_h^H u), each over its own norms.
      a = heads.map((_, h) => times([(g[h] as number) / (gg * vv), 0], q[h] as Complex));
      p = against(A, a);
      uu = squaredNorm(a, p);
      if (!(uu > 0)) break;
      b = heads.map((_, h) => times([(g[h] as number) / (gg * uu), 0], p[h] as Complex));
      q = against(B, b);
      vv = squaredNorm(b, q);
    }
    if (!best || rest < best.rest) best = { a, b, g, rest };
  }
  const { a, b, g, rest } = best as NonNullable<typeof best>;
  return {
    query: parts(a),
    key: parts(b),
    gain: heads.map((_, h) => g[h] ?? 1),
    energy,
    rest: Math.max(0, Number.isFinite(rest) ? rest : energy),
  };
}

/**
 * One key vector for the heads of a group in one plane, each head's query its own: the leading direction of the keys, each
 * weighted by its query's energy. The queries take up, by a complex factor, what is lost of their keys.
 */
export function shareKeyInPlane(query: PlaneGram, key: PlaneGram, heads: readonly number[]): SharedKeyPlane {
  const weights = heads.map((head) => Math.max(0, query.real.data[head * query.real.cols + head] as number));
  const B = chosen(key, heads);
  const energies = heads.map((_, h) => ((B[h] as Complex[])[h] as Complex)[0] * (weights[h] as number));
  const energy = energies.reduce((sum, x) => sum + x, 0);
  let b = heads.map((_, h): Complex => [h === energies.indexOf(Math.max(...energies)) ? 1 : 0, 0]);
  let q = against(B, b);
  for (let step = 0; step < SWEEPS; step++) {
    const size = Math.sqrt(Math.max(squaredNorm(b, q), 0));
    if (!(size > 0)) break;
    const next = heads.map((_, h): Complex => {
      const [re, im] = q[h] as Complex;
      return [(re * (weights[h] as number)) / size, (im * (weights[h] as number)) / size];
    });
    const scale = Math.max(...next.flat().map(Math.abs));
    if (!(scale > 0)) break;
    b = next.map(([re, im]): Complex => [re / scale, im / scale]);
    q = against(B, b);
  }
  const vv = squaredNorm(b, q);
  const kept =
    vv > 0
      ? heads.reduce((sum, _, h) => {
          const [re, im] = q[h] as Complex;
          return sum + ((weights[h] as number) * (re * re + im * im)) / vv;
        }, 0)
      : 0;
  // u_h v_h^H is best met by (u_h (v_h^H v) / |v|^2) v^H.
  const gains = q.map(([re, im]): Complex => (vv > 0 ? [re / vv, im / vv] : [0, 0]));
  return {
    key: parts(b),
    gain: parts(gains),
    energy,
    rest: Math.max(0, energy - kept),
  };
}

function parts(numbers: readonly Complex[]): Float64Array {
  return Float64Array.from([...numbers.map(([re]) => re), ...numbers.map(([, im]) => im)]);
}

/**
 * Combines the heads' vectors in one plane by complex weights, into two columns.
 *
 * @param side - `[rows, heads * headDim]`, of all heads.
 * @returns `[rows]` each: the plane's first feature and its second.
 */
export function combinePlane(
  { forms, heads, plane: [a, b] }: { forms: ScoreForms; heads: readonly number[]; plane: readonly [number, number] },
  side: 'query' | 'key',
  weights: Float64Array,
): readonly [Float64Array, Float64Array] {
  const { rows, cols, data } = forms[side];
  const n = heads.length;
  const [first, second] = [new Float64Array(rows), new Float64Array(rows)];
  for (let r = 0; r < rows; r++) {
    heads.forEach((head, h) => {
      const start = r * cols + head * forms.headDim;
      const vector: Complex = [data[start + a] as number, data[start + b] as number];
      const [re, im] = times(vector, [weights[h] as number, weights[n + h] as number]);
      first[r] = (first[r] as number) + re;
      second[r] = (second[r] as number) + im;
    });
  }
  return [first, second];
}
