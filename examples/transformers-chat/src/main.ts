import '@mhe/example-page/style.css';
import './chat.css';
import { backendChoice, firstBackend } from '@mhe/example-page/backend-choice';
import { byId, showErrors } from '@mhe/example-page/element';
import { count } from '@mhe/example-page/figures';
import type { Job } from '@mhe/example-page/job';
import { type ModelPlace, modelPlace } from '@mhe/example-page/model-place';
import { hideProgress, readDials, showProgress, showStep } from '@mhe/example-page/swap-dials';
import type { LoadReport } from '@mhe/transformers';
import { proxy, wrap } from 'comlink';
import type { Chats, Device, ModelFacts, ModelName } from './chats.js';
import { agreement, Conversation } from './conversation.js';
import { startSwap } from './start-swap.js';

const error = byId('error', HTMLElement);
showErrors(error);

const chats = wrap<Chats>(new Worker(new URL('./chat-worker.ts', import.meta.url), { type: 'module' }));
const [open, send, forget, swap, cancel] = ['open', 'send', 'forget', 'swap', 'cancel'].map((id) =>
  byId(id, HTMLButtonElement),
) as [HTMLButtonElement, HTMLButtonElement, HTMLButtonElement, HTMLButtonElement, HTMLButtonElement];
const [state, agreed] = [byId('state', HTMLElement), byId('agreement', HTMLElement)];
const message = byId('message', HTMLTextAreaElement);
const columns: Readonly<Record<ModelName, Conversation>> = {
  original: new Conversation(byId('original', HTMLElement)),
  swapped: new Conversation(byId('swapped', HTMLElement)),
};
const names = ['original', 'swapped'] as const;
const facts: Partial<Record<ModelName, ModelFacts>> = {};
let place: ModelPlace | null = null;
let device: Device;
let job: Job<LoadReport> | null = null;

onSubmit('choose', openModel);
onSubmit('chat', answer);
onSubmit('dials', swapAttention);
cancel.addEventListener('click', () => job?.cancel());
forget.addEventListener('click', async () => {
  await chats.forget();
  startAnew();
  state.textContent = 'Ready: nothing said yet';
});

const obstacles = await chats.deviceObstacles();
device = firstBackend(obstacles);
backendChoice(byId('device', HTMLFieldSetElement), obstacles, device, async (chosen) => {
  device = chosen;
  await load();
});
await openModel();

function onSubmit(id: string, work: () => Promise<void>): void {
  byId(id, HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    work();
  });
}

/** Fetches the model that is entered, and forgets the one before. */
async function openModel(): Promise<void> {
  place = null;
  agreed.textContent = '';
  for (const name of names) {
    delete facts[name];
    columns[name].clear();
  }
  await busy('Fetching the model', async () => {
    const chosen = modelPlace(byId('model', HTMLInputElement).value, document.baseURI);
    showProgress('Fetching the model', 0);
    try {
      await chats.fetch(
        chosen,
        proxy((share) => showProgress('Fetching the model', share)),
      );
    } finally {
      hideProgress();
    }
    place = chosen;
  });
  await load();
}

/** Loads the models onto the device. */
async function load(): Promise<void> {
  await busy(`Loading onto ${device}`, async () => Object.assign(facts, await chats.use(device)));
  startAnew();
  state.textContent = 'Ready';
}

/** Shows the models as they are before anything is said. */
function startAnew(): void {
  agreed.textContent = '';
  for (const name of names) {
    columns[name].forget();
    const known = facts[name];
    if (known) columns[name].show(known);
  }
}

async function answer(): Promise<void> {
  await busy('Answering', async () => {
    const asked = message.value;
    for (const name of names) if (facts[name]) columns[name].ask(asked);
    const options = {
      maxNewTokens: Number(byId('new-tokens', HTMLSelectElement).value),
      sample: byId('sample', HTMLSelectElement).value === 'yes',
    };
    const answers = await chats.answer(
      asked,
      options,
      proxy((name, text) => columns[name].write(text)),
    );
    for (const name of names) {
      const known = facts[name];
      if (known) columns[name].show(known, answers[name]);
    }
    agreed.textContent = answers.original && answers.swapped ? agreement(answers.original, answers.swapped) : '';
  });
  state.textContent = 'Ready';
}

/** Says what is going on while it does, and that it failed where it fails. */
async function busy(what: string, work: () => Promise<unknown>): Promise<void> {
  error.hidden = true;
  for (const button of [open, send, forget, swap]) button.disabled = true;
  state.textContent = what;
  try {
    await work();
  } catch (failure) {
    state.textContent = `${what} failed`;
    throw failure;
  } finally {
    open.disabled = job !== null;
    for (const button of [send, forget]) button.disabled = place === null;
    swap.disabled = place === null || job !== null;
  }
}

async function swapAttention(): Promise<void> {
  if (!place) return;
  error.hidden = true;
  const dials = readDials();
  open.disabled = swap.disabled = true;
  cancel.disabled = false;
  state.textContent = 'Swapping';
  showProgress('Loading the model', 0);
  job = startSwap(place, dials, showStep);
  try {
    const report = await job.result;
    cancel.disabled = true;
    if (!report) {
      state.textContent = 'Cancelled';
      return;
    }
    facts.swapped = await chats.setSwapped(dials);
    startAnew();
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
  const blocks = reports.reduce((sum, { swapped }) => sum + swapped.length, 0);
  const kept = (when: 'before' | 'after') => reports.reduce((sum, report) => sum + report.cachePerToken[when], 0);
  const bytes = (when: 'before' | 'after') => count(kept(when) * Float32Array.BYTES_PER_ELEMENT);
  const cache = `a token's cache ${bytes('before')} -> ${bytes('after')} bytes`;
  return `Ready: ${blocks} blocks swapped, ${cache}${fromCache ? ', taken from the cache' : ''}`;
}
