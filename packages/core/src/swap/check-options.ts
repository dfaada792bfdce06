import { checkOptionNames } from './check-option-names.js';
import type { PipelineOptions } from './swap-sites.js';

const EMBEDDINGS = ['mul', 'add'];
const FORMS = ['auto', 'folded', 'factorised', 'direct', 'widened'];

/** Every option of the pipeline, and what the adapters call those that are theirs in every adapter. */
const OPTIONS: readonly string[] = [
  ...['groups', 'embedding', 'form', 'sites', 'calibration', 'numHeads', 'identityTolerance', 'seed', 'signal'],
  ...['maxFitError', 'onProgress'],
];

const SYNTHETIC = ['seed', 'sequences', 'length'];

/**
 * Refuses options that the types rule out: JavaScript callers have no types.
 *
 * @param own - the names of options that are an adapter's own.
 * @throws RangeError naming the option, what it was and what it may be.
 */
export function checkOptions({ onStage: _, ...options }: PipelineOptions, own: readonly string[] = []): void {
  const { embedding = 'mul', form = 'auto', sites = 'all', seed = 0, groups = 1 } = options;
  const { identityTolerance = 1, maxFitError = 1 } = options;
  const refuse = (name: string, value: unknown, expected: string) => {
    throw new RangeError(`${name}: ${JSON.stringify(value) ?? String(value)} is not possible; give ${expected}`);
  };
  if (!EMBEDDINGS.includes(embedding)) refuse('embedding', embedding, EMBEDDINGS.join(' or '));
  if (!FORMS.includes(form)) refuse('form', form, FORMS.join(', '));
  if (!Number.isSafeInteger(seed)) refuse('seed', seed, 'a whole number');
  if (!(identityTolerance >= 0)) refuse('identityTolerance', identityTolerance, 'a number from 0');
  if (!(maxFitError >= 0 && maxFitError <= 1)) refuse('maxFitError', maxFitError, 'a share from 0 to 1');
  if (form === 'factorised' && embedding !== 'add')
    refuse('form', form, 'another form: it is one of MHE-ADD (embedding add)');
  const isSelection = sites === 'all' || Array.isArray(sites) || sites instanceof RegExp || typeof sites === 'function';
  if (!isSelection) refuse('sites', sites, '"all", numbers in an array, a regular expression or a function');
  checkOptionNames(options, [...OPTIONS, ...own]);
  const { synthetic } = ('calibration' in options ? (options.calibration ?? {}) : {}) as { synthetic?: object };
  if (synthetic) checkOptionNames(synthetic, SYNTHETIC);
  const isDials = typeof groups === 'object' && groups !== null && 'queryKey' in groups && 'value' in groups;
  if (typeof groups !== 'number' && groups !== 'heads' && !isDials) {
    refuse('groups', groups, 'a number, "heads", or { queryKey, value }');
  }
}
