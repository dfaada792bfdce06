import '@mhe/example-page/style.css';
import '@mhe/example-page/search.css';
import { backendChoice, firstBackend } from '@mhe/example-page/backend-choice';
import type { BackendName } from '@mhe/example-page/backends';
import { byId, onSubmit, showErrors } from '@mhe/example-page/element';
import { exampleQuery, exampleSentences } from '@mhe/example-page/example-sentences';
import { count, megabytes } from '@mhe/example-page/figures';
import type { Job } from '@mhe/example-page/job';
import type { Ranking } from '@mhe/example-page/rank';
import { agreement, showModel } from '@mhe/example-page/search-results';
import { hideProgress, linesOf, showProgress } from '@mhe/example-page/swap-dials';
import { proxy, transfer, wrap } from 'comlink';
import type { Encoders, ModelFacts } from './encoders.js';
import { startSwap } from './start-swap.js';
import type { Dials, SwappedEncoder, SwapStep } from './swap-encoder.js';

const error = byId('error', HTMLElement);
showErrors(error);

const encoders = wrap<Encoders>(new Worker(new URL('./encoder-worker.ts', import.meta.url), { type: 'module' }));
const [find, swap, cancel] = ['find', 'swap', 'cancel'].map((id) => byId(id, HTMLButtonElement)) as [
  HTMLButtonElement,
  HTMLButtonElement,
  HTMLButtonElement,
];
const [query, sentences] = [byId('query', HTMLInputElement), byId('sentences', HTMLTextAreaElement)];
const state = byId('state', HTMLElement);
const facts: { original?: ModelFacts; swapped?: ModelFacts } = {};
let job: Job<SwappedEncoder> | null = null;

query.value = exampleQuery;
sentences.value = exampleSentences.join('\n');
onSubmit('search', rank);
onSubmit('dials', swapAttention);
cancel.addEventListener('click', () => job?.cancel());

const obstacles = await encoders.backendObstacles();
const first = firstBackend(obstacles);
showProgress('Fetching the encoder', 0);
await encoders.fetch(
  document.baseURI,
  proxy((share) => showProgress('Fetching the encoder', share)),
);
hideProgress();
backendChoice(byId('backend', HTMLFieldSetElement), obstacles, first, use);
await use(first);
swap.disabled = false;

/** Loads the models into a backend and searches again. */
async function use(backend: BackendName): Promise<void> {
  await busy(`Loading into ${backend}`, async () => Object.assign(facts, await encoders.use(backend)));
  await rank();
}

async function rank(): Promise<void> {
  await busy('Searching', async () => {
    const lines = linesOf(sentences.value);
    const rankings = await encoders.rank(query.value, lines);
    const { original, swapped } = rankings;
    if (facts.original) show('original', facts.original, original, lines);
    if (facts.swapped && swapped) show('swapped', facts.swapped, swapped, lines);
    byId('agreement', HTMLElement).textContent = agreement(rankings);
  });
  state.textContent = 'Ready';
}

function show(id: string, { parameters, bytes, memory }: ModelFacts, ranking: Ranking, lines: readonly string[]): void {
  const shown = {
    Size: `${megabytes(bytes)}, ${count(parameters)} parameters`,
    Time: `${ranking.milliseconds.toFixed(1)} ms a sentence`,
    Memory: `${megabytes(memory.bytes)} in ${count(memory.tensors)} tensors`,
  };
  showModel(byId(id, HTMLElement), shown, ranking.scores, lines);
}

/** Says what is going on while it does, and that it failed where it fails. */
async function busy(what: string, work: () => Promise<unknown>): Promise<void> {
  error.hidden = true;
  find.disabled = true;
  state.textContent = what;
  try {
    await work();
  } catch (failure) {
    state.textContent = `${what} failed`;
    throw failure;
  } finally {
    find.disabled = false;
  }
}

async function swapAttention(): Promise<void> {
  error.hidden = true;
  swap.disabled = true;
  cancel.disabled = false;
  state.textContent = 'Swapping';
  showProgress(stageNames.load, 0);
  job = startSwap(document.baseURI, readDials(), showStep);
  try {
    const swapped = await job.result;
    cancel.disabled = true;
    if (!swapped) {
      state.textContent = 'Cancelled';
      return;
    }
    const { artifacts, report } = swapped;
    facts.swapped = await encoders.setSwapped(transfer(artifacts, [artifacts.weightData].flat() as ArrayBuffer[]));
    await rank();
    const { before, after } = report.bytes;
    state.textContent = `Ready: ${report.swapped.length} blocks swapped, ${megabytes(before - after)} saved`;
  } catch (failure) {
    state.textContent = 'Swapping failed';
    throw failure;
  } finally {
    job = null;
    cancel.disabled = true;
    swap.disabled = false;
    hideProgress();
  }
}

function readDials(): Dials {
  const chosen = (id: string) => byId(id, HTMLSelectElement).value;
  return {
    groups: { queryKey: Number(chosen('query-key')), value: Number(chosen('value')) },
    embedding: chosen('embedding') === 'add' ? 'add' : 'mul',
    fitOn: Number(chosen('fit-on')),
  };
}

const stageNames = {
  load: 'Fetching the encoder',
  capture: 'Looking at what the layer sees',
  verify: 'Checking that the layer is understood',
  fit: 'Fitting shared projections',
  compare: 'Comparing with the original',
};

function showStep(step: SwapStep): void {
  showProgress(stageNames[step.stage], 'total' in step && step.total > 0 ? step.done / step.total : 0);
}
