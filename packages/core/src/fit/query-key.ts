import { alignedStart } from './aligned-start.js';
import { type Alternated, alternate } from './alternate.js';
import { compressForms } from './compress.js';
import type { Pace } from './pace.js';
import { pencilStart } from './pencil-start.js';
import { formEnergies, type ScoreForms, total } from './score-forms.js';
import type { SharedForm } from './shared-form.js';

/** How queries and keys are fitted. */
export interface QueryKeyOptions {
  readonly seed: number;
  readonly pace: Pace;
  /** After each sweep over the forms as they are, and over compressed ones while looking for the start. */
  readonly onSweep?: (sweep: number, error: number) => void;
}

/** Sweeps over compressed forms cost little, and bring nearly all the way. */
const START = { maxSweeps: 40, tolerance: 1e-4 };
const FINISH = { maxSweeps: 12, tolerance: 2e-3 };

/**
 * The shared query and key projections and gains of MHE-MUL for one group of heads: a CP decomposition of their score
 * forms, of rank `headDim`. Starts from the matrix pencil and from aligned heads, both carried on in compressed form,
 * and finishes the better one by alternating least squares.
 */
export async function fitQueryKey(forms: ScoreForms, options: QueryKeyOptions): Promise<Alternated> {
  if (total(formEnergies(forms)) === 0) return { shared: sharedZero(forms), error: 0, sweeps: 0 };
  const core = compressForms(forms, options.seed);
  const starts = [pencilStart(core.forms, options.seed), alignedStart(core.forms)].filter((start) => start !== null);
  let best: Alternated | null = null;
  let sweeps = 0;
  const counted = { ...options, onSweep: (_: number, error: number) => options.onSweep?.(++sweeps, error) };
  for (const start of starts) {
    const tried = await alternate(core.forms, start, { ...counted, ...START });
    if (!best || tried.error < best.error) best = tried;
  }
  const { shared, error } = await alternate(forms, core.expand((best as Alternated).shared), { ...counted, ...FINISH });
  return { shared: withPositiveGains(shared), error, sweeps };
}

/** Heads that score nothing share anything. */
function sharedZero({ numHeads, headDim, query, key }: ScoreForms): SharedForm {
  return {
    query: { rows: query.rows, cols: headDim, data: new Float64Array(query.rows * headDim) },
    key: { rows: key.rows, cols: headDim, data: new Float64Array(key.rows * headDim) },
    gain: { rows: numHeads, cols: headDim, data: new Float64Array(numHeads * headDim).fill(1) },
  };
}

/** Signs are free between a column and its gains: gains that are positive on the whole are near the neutral 1. */
function withPositiveGains({ query, key, gain }: SharedForm): SharedForm {
  const { cols, data } = gain;
  const sums = new Float64Array(cols);
  data.forEach((x, at) => {
    sums[at % cols] = (sums[at % cols] as number) + x;
  });
  const flip = (x: number, at: number) => ((sums[at % cols] as number) < 0 ? -x : x);
  return { query: { ...query, data: query.data.map(flip) }, key, gain: { ...gain, data: data.map(flip) } };
}
