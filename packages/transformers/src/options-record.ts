import { digestSamples } from './calibration/digest.js';
import type { ReadOptions } from './swap-file.js';

/** What a swapped model depends on besides the original: what can be written down of the options. */
export interface OptionsRecord {
  readonly groups: ReadOptions['groups'];
  readonly maxFitError: number | undefined;
  readonly embedding: ReadOptions['embedding'];
  readonly form: ReadOptions['form'];
  readonly sites: string | readonly number[];
  readonly numHeads: number | undefined;
  readonly identityTolerance: number | undefined;
  readonly seed: number;
  readonly calibration: { readonly inputs: number; readonly sha256: string } | { readonly synthetic: object };
}

/** The options as `mhe.json` has them; what was left out is at its default. */
export async function recordOptions(options: ReadOptions): Promise<OptionsRecord> {
  const { calibration = { synthetic: {} }, sites = 'all' } = options;
  return {
    groups: options.groups ?? 1,
    maxFitError: options.maxFitError,
    embedding: options.embedding ?? 'mul',
    form: options.form ?? 'auto',
    sites: typeof sites === 'string' || sites instanceof RegExp || typeof sites === 'function' ? String(sites) : sites,
    numHeads: options.numHeads,
    identityTolerance: options.identityTolerance,
    seed: options.seed ?? 0,
    calibration:
      'synthetic' in calibration
        ? { synthetic: calibration.synthetic }
        : { inputs: calibration.length, sha256: await digestSamples(calibration) },
  };
}
