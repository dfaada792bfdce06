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

/** Of compressed forms, where a sweep costs little: enough to tell the better start. */
const TRY = { maxSweeps: 15, tolerance: 1e-4 };
/** Of compressed forms: brings nearly all the way. */
const CARRY_ON = { maxSweeps: 30, tolerance: 1e-4 };
/** Of the forms as they are. */
const FINISH = { maxSweeps: 12, tolerance: 2e-3 };

/**
 * The shared query and key projections and gains of MHE-MUL for one group of heads: a CP decomposition of their score
 * forms, of rank `headDim`. Starts from the matrix pencil and from aligned heads, goes on with the better one in compressed
 * form, and finishes by alternating least squares on the forms as they are.
 */
export async function fitQueryKey(forms: ScoreForms, { seed, pace, onSweep }: QueryKeyOptions): Promise<Alternated> {
  const core = compressForms(forms, seed);
  if (total(formEnergies(core.forms)) === 0) return { shared: sharedZero(forms), error: 0, sweeps: 0 };
  let sweeps = 0;
  const counted = { pace, onSweep: (_: number, error: number) => onSweep?.(++sweeps, error) };
  let best = await alternate(core.forms, alignedStart(core.forms), { ...counted, ...TRY });
  const pencil = pencilStart(core.forms, seed);
  if (pencil) {
    const tried = await alternate(core.forms, pencil, { ...counted, ...TRY });
    if (tried.error < best.error) best = tried;
  }
  best = await alternate(core.forms, best.shared, { ...counted, ...CARRY_ON });
  const { shared, error } = await alternate(forms, core.expand(best.shared), { ...counted, ...FINISH });
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
