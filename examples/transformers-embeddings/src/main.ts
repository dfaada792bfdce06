import '@mhe/example-page/style.css';
import '@mhe/example-page/search.css';
import { backendChoice, firstBackend } from '@mhe/example-page/backend-choice';
import { byId, showErrors } from '@mhe/example-page/element';
import { exampleQuery, exampleSentences } from '@mhe/example-page/example-sentences';
import { count, megabytes } from '@mhe/example-page/figures';
import type { Job } from '@mhe/example-page/job';
import { type ModelPlace, modelPlace } from '@mhe/example-page/model-place';
import type { Ranking } from '@mhe/example-page/rank';
import { agreement, clearModel, showModel } from '@mhe/example-page/search-results';
import { hideProgress, linesOf, readDials, showProgress, showStep } from '@mhe/example-page/swap-dials';
import type { LoadReport } from '@mhe/transformers';
import { proxy, wrap } from 'comlink';
import type { Device, Embedders, ModelFacts, Pooling } from './embedders.js';
import { startSwap } from './start-swap.js';

const error = byId('error', HTMLElement);
showErrors(error);

const embedders = wrap<Embedders>(new Worker(new URL('./embedder-worker.ts', import.meta.url), { type: 'module' }));
const [open, find, swap, cancel] = ['open', 'find', 'swap', 'cancel'].map((id) => byId(id, HTMLButtonElement)) as [
  HTMLButtonElement,
  HTMLButtonElement,
  HTMLButtonElement,
  HTMLButtonElement,
];
const [model, query, texts] = [
  byId('model', HTMLInputElement),
  byId('query', HTMLInputElement),
  byId('texts', HTMLTextAreaElement),
];
const state = byId('state', HTMLElement);
const facts: { original?: ModelFacts; swapped?: ModelFacts } = {};
let place: ModelPlace | null = null;
let device: Device;
let job: Job<LoadReport> | null = null;

query.value = exampleQuery;
texts.value = exampleSentences.join('\n');
byId('choose', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  openModel();
});
byId('search', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  search();
});
byId('dials', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  swapAttention();
});
byId('pooling', HTMLSelectElement).addEventListener('change', search);
cancel.addEventListener('click', () => job?.cancel());

const obstacles = await embedders.deviceObstacles();
device = firstBackend(obstacles);
backendChoice(byId('device', HTMLFieldSetElement), obstacles, device, async (chosen) => {
  device = chosen;
  await load();
  await search();
});
await openModel();

/** Fetches the model that is entered, and forgets the one before. */
async function openModel(): Promise<void> {
  place = null;
  for (const name of ['original', 'swapped'] as const) {
    delete facts[name];
    clearModel(byId(name, HTMLElement));
  }
  byId('agreement', HTMLElement).textContent = '';
  await busy('Fetching the model', async () => {
    const chosen = modelPlace(model.value, document.baseURI);
    showProgress('Fetching the model', 0);
    try {
      await embedders.fetch(
        chosen,
        proxy((share) => showProgress('Fetching the model', share)),
      );
    } finally {
      hideProgress();
    }
    place = chosen;
  });
  await load();
  await search();
}

/** Loads the models onto the device. */
async function load(): Promise<void> {
  await busy(`Loading onto ${device}`, async () => Object.assign(facts, await embedders.use(device)));
}

async function search(): Promise<void> {
  await busy('Searching', async () => {
    const lines = linesOf(texts.value);
    const pooling = byId('pooling', HTMLSelectElement).value as Pooling;
    const { original, swapped } = await embedders.rank(query.value, lines, pooling);
    if (facts.original) show('original', facts.original, original, lines);
    if (facts.swapped && swapped) show('swapped', facts.swapped, swapped, lines);
    byId('agreement', HTMLElement).textContent = agreement({ original, swapped });
  });
  state.textContent = 'Ready';
}

function show(id: string, { bytes, loadMilliseconds }: ModelFacts, ranking: Ranking, lines: readonly string[]): void {
  const shown = {
    Size: megabytes(bytes),
    Load: `${loadMilliseconds.toFixed(0)} ms`,
    Time: `${ranking.milliseconds.toFixed(1)} ms a sentence`,
  };
  showModel(byId(id, HTMLElement), shown, ranking.scores, lines);
}

/** Says what is going on while it does, and that it failed where it fails. */
async function busy(what: string, work: () => Promise<unknown>): Promise<void> {
  error.hidden = true;
  for (const button of [open, find, swap]) button.disabled = true;
  state.textContent = what;
  try {
    await work();
  } catch (failure) {
    state.textContent = `${what} failed`;
    throw failure;
  } finally {
    open.disabled = job !== null;
    for (const button of [find, swap]) button.disabled = place === null;
    if (job !== null) swap.disabled = true;
  }
}

async function swapAttention(): Promise<void> {
  if (!place) return;
  error.hidden = true;
  const dials = readDials();
  open.disabled = swap.disabled = true;
  cancel.disabled = false;
  state.textContent = 'Swapping';
  showStep({ stage: 'load', share: 0 });
  job = startSwap(place, dials, showStep);
  try {
    const report = await job.result;
    cancel.disabled = true;
    if (!report) {
      state.textContent = 'Cancelled';
      return;
    }
    facts.swapped = await embedders.setSwapped(dials);
    await search();
    state.textContent = summary(report);
  } catch (failure) {
    state.textContent = 'Swapping failed';
    throw failure;
  } finally {
    job = null;
    cancel.disabled = true;
    open.disabled = swap.disabled = false;
    hideProgress();
  }
}

function summary({ files, fromCache }: LoadReport): string {
  const reports = Object.values(files);
  const sum = (of: (report: (typeof reports)[number]) => number) =>
    reports.reduce((before, report) => before + of(report), 0);
  const saved = sum(({ parameters: { before, after } }) => before - after);
  const blocks = `${sum(({ swapped }) => swapped.length)} blocks swapped, ${count(saved)} parameters saved`;
  return `Ready: ${blocks}${fromCache ? ', taken from the cache' : ''}`;
}
