import type { AttentionComputation, SequenceLengths } from '../accounting/operations.js';
import { countOperations } from '../accounting/operations.js';
import { countWeights } from '../accounting/weights-parameters.js';
import { FormError } from '../attention/form-error.js';
import { identityMhe } from '../attention/identity.js';
import type { Embedding, FoldedMheWeights } from '../attention/weights.js';
import type { AttentionSite, SkippedSite } from '../find/site.js';
import type { MheFit } from '../fit/fit-mhe.js';
import { fitMhe } from '../fit/fit-mhe.js';
import { refitOutput } from '../fit/output.js';
import type { OpenSite, Replacement, SwapBackend } from './backend.js';
import { checkOptions } from './check-options.js';
import { fewPositions, keepsGroups } from './few-positions.js';
import { type FitWithin, fitWithin } from './fit-within.js';
import type { AttentionForm, SwapOptions, SwapProgress } from './options.js';
import type { BeforeAfter, SwappedSite, SwapReport } from './report.js';
import { selectSites } from './select-sites.js';
import type { SiteGroups } from './site-groups.js';
import { siteGroups } from './site-groups.js';

/** What an adapter found, and the calibration inputs it has. */
export interface SwapTask {
  readonly sites: readonly AttentionSite[];
  readonly skipped: readonly SkippedSite[];
  readonly calibration: { readonly kind: 'given' | 'synthetic'; readonly sequences: number };
  readonly notices: readonly string[];
  /** Elements and bytes of the model's weights. */
  readonly size: { readonly parameters: number; readonly bytes: number };
}

/** Options of the pipeline: those of `swap` that are not the adapter's. */
export type PipelineOptions = Omit<SwapOptions<never>, 'calibration' | 'numHeads' | 'onProgress'> & {
  readonly onStage?: (stage: Pick<SwapProgress, 'stage' | 'site'>) => void;
};

/**
 * Swaps the sites of a model, front to back: each is first replaced by itself (the identity swap), which must give
 * the block's own output, then fitted, refitted to the original's output and put in.
 *
 * @param start - makes the backend for the chosen sites; not called where none is chosen.
 * @returns `model: undefined` where nothing was swapped.
 * @throws RangeError for impossible groups or site numbers; FormError where the form asked for cannot express a site.
 */
export async function swapSites<Model>(
  task: SwapTask,
  options: PipelineOptions,
  start: (chosen: readonly AttentionSite[]) => Promise<SwapBackend<Model>>,
): Promise<{ readonly model: Model | undefined; readonly report: SwapReport }> {
  checkOptions(options);
  const { groups = 1, sites = 'all' } = options;
  const { chosen, others } = selectSites(task.sites, sites);
  for (const site of chosen) siteGroups(groups, site);
  const skipped: SkippedSite[] = [...task.skipped, ...others];
  if (chosen.length === 0) return { model: undefined, report: emptyReport(task, skipped) };
  const backend = await start(chosen);
  skipped.push(...backend.skipped);
  const swapped: SwappedSite[] = [];
  let tokens = 0;
  for (const site of backend.sites) {
    options.signal?.throwIfAborted();
    options.onStage?.({ stage: 'capture', site: site.name });
    const open = await backend.open(site);
    tokens ||= open.tokens;
    const result = await swapOrKeep(site, open, siteGroups(groups, site), task, options);
    if ('reason' in result) skipped.push(result);
    else swapped.push(result);
  }
  options.onStage?.({ stage: 'compare', site: '' });
  const { model, ...finished } = await backend.finish();
  const sum = (pick: (site: SwappedSite) => number) => swapped.reduce((total, site) => total + pick(site), 0);
  return {
    model: swapped.length > 0 ? model : undefined,
    report: {
      swapped,
      skipped,
      calibration: { ...task.calibration, tokens },
      ...finished,
      multiplyAdds: {
        before: sum(({ multiplyAdds }) => multiplyAdds.before),
        after: sum(({ multiplyAdds }) => multiplyAdds.after),
        sequenceLength: meanLength(tokens, task),
      },
      cachePerToken: {
        before: sum((swap) => cached(swap).before),
        after: sum((swap) => cached(swap).after),
      },
      notices: [...task.notices, ...fewPositions(swapped, task, tokens), ...noticesOf(swapped, options)],
    },
  };
}

/** A site that no form can express is left as it is, unless a form was asked for. */
async function swapOrKeep(
  site: AttentionSite,
  open: OpenSite,
  groups: SiteGroups,
  task: SwapTask,
  options: PipelineOptions,
): Promise<SwappedSite | SkippedSite> {
  try {
    return await swapSite(site, open, groups, task, options);
  } catch (error) {
    const { form = 'auto' } = options;
    if (!(error instanceof FormError) || form !== 'auto') throw error;
    await open.keep();
    return { name: site.name, reason: `no form can express it: ${error.message}`, nodes: [site.name] };
  }
}

async function swapSite(
  site: AttentionSite,
  open: OpenSite,
  asked: SiteGroups,
  task: SwapTask,
  options: PipelineOptions,
): Promise<SwappedSite | SkippedSite> {
  const { embedding = 'mul', form = 'auto', onStage } = options;
  onStage?.({ stage: 'verify', site: site.name });
  const identity = identityMhe(open.weights);
  const identityError = await open.verify(identity);
  const tolerance = options.identityTolerance ?? open.identityTolerance;
  if (!(identityError <= tolerance)) {
    await open.keep();
    const reason = Number.isNaN(identityError)
      ? 'its output on the calibration inputs is zero or no number, which proves nothing: give other inputs'
      : `the identity swap gives another output (relative difference ${identityError.toExponential(1)}, at most ${tolerance.toExponential(0)} expected)`;
    return { name: site.name, reason, nodes: [site.name] };
  }
  onStage?.({ stage: 'fit', site: site.name });
  const isAsked = keepsGroups({ site, groups: asked });
  const { fit: fitted, groups } = isAsked
    ? { fit: identityFit(identity), groups: asked }
    : await fit(site, open, asked, options);
  const isIdentity = keepsGroups({ site, groups });
  if (isIdentity && !isAsked) {
    await open.keep();
    const shares = `${percent(options.maxFitError)} of the energy at most may be left out (maxFitError)`;
    return { name: site.name, reason: `${shares}, and only its own groups leave out so little`, nodes: [site.name] };
  }
  let replacement: Replacement = { weights: fitted.weights, embedding, form };
  const [part, ...others] = isIdentity ? [] : await open.outputMoments(replacement);
  if (part) replacement = { ...replacement, weights: refitOutput(fitted.weights, [part, ...others]) };
  const replaced = await open.replace(replacement);
  const lengths = { queries: meanLength(open.tokens, task) };
  return {
    site,
    embedding,
    groups,
    form: replaced.form,
    formReason: replaced.formReason,
    parameters: {
      before: Number(countWeights(open.weights).total),
      after: Number(countWeights(replacement.weights).total),
    },
    multiplyAdds: {
      before: sharesAlready(site)
        ? groupedOperations(site, site.groups, lengths)
        : operations(site, { kind: 'mha' }, lengths),
      after: sharesAlready(site)
        ? groupedOperations(site, groups, lengths)
        : operations(site, computation(embedding, groups, replaced.form), lengths),
    },
    cachePerToken: {
      before: site.groups.queryKey * site.headDim + site.groups.value * site.valueHeadDim,
      after: groups.queryKey * site.headDim + groups.value * site.valueHeadDim,
    },
    identityError,
    fitError: { queryKey: fitted.queryKeyError.overall, value: fitted.valueError.overall },
    withoutMoments: fitted.withoutMoments.map((name) => (name === 'keyInput' ? 'key' : name)),
    outputError: replaced.outputError,
  };
}

function identityFit(weights: FoldedMheWeights): MheFit {
  const exact = { overall: 0, perGroup: [] };
  return { weights, queryKeyError: exact, valueError: exact, withoutMoments: [], sweeps: 0 };
}

async function fit(
  site: AttentionSite,
  open: OpenSite,
  asked: SiteGroups,
  options: PipelineOptions,
): Promise<FitWithin> {
  const { embedding = 'mul', seed = 0, signal, maxFitError = 1 } = options;
  const moments = await open.moments();
  const { emptyRows } = open;
  const known = { embedding, moments, emptyRows, seed, ...(signal && { signal }) };
  return fitWithin(asked, site.groups, maxFitError, (groups) => fitMhe(open.weights, { ...known, groups }));
}

function percent(share = 1): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

function computation(embedding: Embedding, groups: SiteGroups, form: AttentionForm): AttentionComputation {
  // The widened form computes what the folded one does and copies keys and values besides.
  const counted = form === 'widened' ? 'folded' : form;
  if (embedding === 'add') return { kind: 'mhe-add', groups, form: counted } as const;
  if (counted === 'factorised') throw new FormError('factorised', 'it is a form of MHE-ADD');
  return { kind: 'mhe-mul', groups, form: counted } as const;
}

/** Whether heads share keys or values in the model itself. */
function sharesAlready({ groups, numHeads }: AttentionSite): boolean {
  return groups.queryKey < numHeads || groups.value < numHeads;
}

/** Of a site whose queries are each head's own over keys and values that heads share. */
function groupedOperations(site: AttentionSite, groups: SiteGroups, { queries }: SequenceLengths): number {
  const { numHeads, headDim, valueHeadDim, dims } = site;
  const projections =
    dims.query * numHeads * headDim + dims.key * groups.queryKey * headDim + dims.value * groups.value * valueHeadDim;
  const products = numHeads * queries * (headDim + valueHeadDim);
  return queries * (projections + products + numHeads * valueHeadDim * dims.output);
}

function operations(site: AttentionSite, kind: AttentionComputation, lengths: SequenceLengths): number {
  const { numHeads, headDim, valueHeadDim, dims } = site;
  const sizes = {
    numHeads,
    headDim,
    valueHeadDim,
    modelDim: dims.query,
    keyDim: dims.key,
    valueDim: dims.value,
    outputDim: dims.output,
  };
  return Number(countOperations({ ...sizes, ...kind, ...lengths }).total);
}

function meanLength(tokens: number, { calibration }: SwapTask): number {
  return Math.max(1, Math.round(tokens / Math.max(1, calibration.sequences)));
}

const NOTHING = { before: 0, after: 0 };

/** What a decoder's block keeps of every token. Of what it reads of an encoder's output it keeps nothing more. */
function cached({ site, cachePerToken }: SwappedSite): BeforeAfter {
  return site.kind === 'self' && site.cache !== null ? cachePerToken : NOTHING;
}

function emptyReport(task: SwapTask, skipped: readonly SkippedSite[]): SwapReport {
  const { parameters, bytes } = task.size;
  return {
    swapped: [],
    skipped,
    calibration: { ...task.calibration, tokens: 0 },
    parameters: { before: parameters, after: parameters },
    bytes: { before: bytes, after: bytes },
    multiplyAdds: { before: 0, after: 0, sequenceLength: 0 },
    cachePerToken: NOTHING,
    outputs: [],
    notices: task.notices,
  };
}

function noticesOf(swapped: readonly SwappedSite[], options: PipelineOptions): string[] {
  const notices: string[] = [];
  if (swapped.length > 0 && swapped.every(keepsGroups)) {
    notices.push('groups are as many as heads everywhere: the model computes what it did, and nothing got smaller');
    if (options.embedding === 'add') notices.push('embedding has no effect where every head is its own group');
    if (options.maxFitError !== undefined) notices.push('maxFitError has no effect where nothing is fitted');
  }
  for (const { site, withoutMoments, groups } of swapped) {
    if (site.readOutside.includes('scores') && groups.queryKey < site.groups.queryKey) {
      notices.push(
        `${site.name}: its scores are read outside; each row may differ by a number, which the softmax cancels`,
      );
    }
    if (withoutMoments.length === 0) continue;
    notices.push(
      `${site.name}: its fit made no use of the calibration for ${withoutMoments.join(', ')} (the layout hides it)`,
    );
  }
  return notices;
}
