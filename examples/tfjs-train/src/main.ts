import '@mhe/example-page/style.css';
import { backendChoice, firstBackend } from '@mhe/example-page/backend-choice';
import type { BackendName } from '@mhe/example-page/backends';
import { byId, element, showErrors } from '@mhe/example-page/element';
import { count, megabytes } from '@mhe/example-page/figures';
import { proxy, wrap } from 'comlink';
import { alphabet } from './characters.js';
import { LossChart } from './loss-chart.js';
import { LossHistory } from './loss-history.js';
import { lossRows, parameterRows } from './tables.js';
import type { StepReport, Trainer } from './trainer.js';

showErrors(byId('error', HTMLElement));

const trainer = wrap<Trainer>(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }));
const chart = new LossChart(byId('chart', HTMLElement));
const [run, reset] = [byId('run', HTMLButtonElement), byId('reset', HTMLButtonElement)];
const seed = byId('seed', HTMLInputElement);
const state = byId('state', HTMLElement);
let history = new LossHistory();
let backend: BackendName;

byId('chance', HTMLElement).textContent = Math.log(alphabet.length).toFixed(2);
byId('controls', HTMLFormElement).addEventListener('submit', (event) => event.preventDefault());
run.addEventListener('click', () => (run.textContent === 'Pause' ? pause() : start()));
reset.addEventListener('click', begin);
seed.addEventListener('change', begin);

const obstacles = await trainer.backendObstacles();
backend = firstBackend(obstacles);
backendChoice(byId('backend', HTMLFieldSetElement), obstacles, backend, async (chosen) => {
  backend = chosen;
  await begin();
});
await begin();

/** Puts the models back to where they start. */
async function begin(): Promise<void> {
  if (!seed.reportValidity()) return;
  tell('Preparing', false);
  const parameters = await trainer.reset(backend, seed.valueAsNumber);
  history = new LossHistory();
  byId('parameters', HTMLTableElement).tBodies[0]?.replaceChildren(...parameterRows(parameters));
  byId('writing', HTMLElement).replaceChildren();
  byId('memory', HTMLOutputElement).value = 'nothing yet';
  show();
  run.textContent = 'Start';
  tell('Ready', true);
}

async function start(): Promise<void> {
  run.textContent = 'Pause';
  tell('Training', true);
  await trainer.run(proxy(onStep));
}

async function pause(): Promise<void> {
  tell('Pausing', false);
  await trainer.pause();
  run.textContent = 'Go on';
  tell('Paused', true);
}

function onStep(report: StepReport): void {
  history.add(report);
  const { tensors, bytes } = report.memory;
  byId('memory', HTMLOutputElement).value = `${count(tensors)} tensors, ${megabytes(bytes)}`;
  if (report.writing) {
    const pieces = Object.entries(report.writing).map(([kind, text]) =>
      element('div', {}, element('dt', {}, kind.toUpperCase()), element('dd', {}, text)),
    );
    byId('writing', HTMLElement).replaceChildren(...pieces);
  }
  show();
}

function show(): void {
  byId('step', HTMLOutputElement).value = count(history.steps.length);
  byId('losses', HTMLTableElement).tBodies[0]?.replaceChildren(...lossRows(history));
  chart.show(history);
}

function tell(text: string, ready: boolean): void {
  state.textContent = text;
  run.disabled = !ready;
  reset.disabled = !ready;
}
