import type { LoadReport } from '@mhe/transformers';
import { proxy, type Remote, wrap } from 'comlink';
import { backendChoice, firstBackend } from './backend-choice.js';
import { byId, onSubmit, showErrors } from './element.js';
import { type Job, startJob } from './job.js';
import type { Device, ModelFacts, ModelName, ModelPair } from './model-pair.js';
import { type ModelPlace, modelPlace } from './model-place.js';
import { hideProgress, readDials, showProgress, showStep } from './swap-dials.js';
import type { SwapStep } from './swap-model.js';
import type { Dials } from './swap-options.js';

/** What the worker of a swap exposes. */
export type SwapWork = (place: ModelPlace, dials: Dials, onStep: (step: SwapStep) => void) => Promise<LoadReport>;

/** What differs between pages that show a model before and after a swap. */
export interface ModelPageParts {
  readonly models: Remote<ModelPair<{ dispose(): Promise<unknown> }>>;
  /** Buttons that need a model, beside that of the swap. */
  readonly buttons: readonly HTMLButtonElement[];
  /** Starts the worker of one swap, which exposes a {@link SwapWork}. */
  swapWorker(): Worker;
  /** Takes away what is shown of the models before. */
  clear(): void;
  /** Shows the models that were loaded. */
  show(): void | Promise<void>;
  /** What a swap came to, in a few words. */
  summary(report: LoadReport): string;
}

/** The part of such a page that opens a model, loads it onto a device and swaps it. */
export class ModelPage {
  /** Of the models that are loaded. */
  readonly facts: Partial<Record<ModelName, ModelFacts>> = {};
  readonly state = byId('state', HTMLElement);
  private readonly error = byId('error', HTMLElement);
  private readonly open = byId('open', HTMLButtonElement);
  private readonly swap = byId('swap', HTMLButtonElement);
  private readonly cancel = byId('cancel', HTMLButtonElement);
  private place: ModelPlace | null = null;
  private device: Device = 'wasm';
  private job: Job<LoadReport> | null = null;

  constructor(private readonly parts: ModelPageParts) {
    showErrors(this.error);
    onSubmit('choose', () => this.openModel());
    onSubmit('dials', () => this.swapAttention());
    this.cancel.addEventListener('click', () => this.job?.cancel());
  }

  /** Offers the devices, and opens the model that is entered. */
  async start(): Promise<void> {
    const obstacles = await this.parts.models.deviceObstacles();
    this.device = firstBackend(obstacles);
    backendChoice(byId('device', HTMLFieldSetElement), obstacles, this.device, async (chosen) => {
      this.device = chosen;
      await this.load();
    });
    await this.openModel();
  }

  /** Says what is going on while it does, and that it failed where it fails. */
  async busy(what: string, work: () => Promise<unknown>): Promise<void> {
    const { buttons } = this.parts;
    this.error.hidden = true;
    for (const button of [this.open, this.swap, ...buttons]) button.disabled = true;
    this.state.textContent = what;
    try {
      await work();
    } catch (failure) {
      this.state.textContent = `${what} failed`;
      throw failure;
    } finally {
      this.open.disabled = this.job !== null;
      for (const button of buttons) button.disabled = this.place === null;
      this.swap.disabled = this.place === null || this.job !== null;
    }
  }

  /** Fetches the model that is entered, and forgets the one before. */
  private async openModel(): Promise<void> {
    const { models, clear } = this.parts;
    this.place = null;
    for (const name of ['original', 'swapped'] as const) delete this.facts[name];
    clear();
    await this.busy('Fetching the model', async () => {
      const chosen = modelPlace(byId('model', HTMLInputElement).value, document.baseURI);
      showProgress('Fetching the model', 0);
      try {
        await models.fetch(
          chosen,
          proxy((share) => showProgress('Fetching the model', share)),
        );
      } finally {
        hideProgress();
      }
      this.place = chosen;
    });
    await this.load();
  }

  /** Loads the models onto the device. */
  private async load(): Promise<void> {
    const { models, show } = this.parts;
    const { device } = this;
    await this.busy(`Loading onto ${device}`, async () => Object.assign(this.facts, await models.use(device)));
    await show();
    this.state.textContent = 'Ready';
  }

  private async swapAttention(): Promise<void> {
    const { place, error, open, swap, cancel, state } = this;
    const { models, swapWorker, show, summary } = this.parts;
    if (!place) return;
    error.hidden = true;
    const dials = readDials();
    open.disabled = swap.disabled = true;
    cancel.disabled = false;
    state.textContent = 'Swapping';
    showStep({ stage: 'load', share: 0 });
    const worker = swapWorker();
    this.job = startJob(worker, () => wrap<SwapWork>(worker)(place, dials, proxy(showStep)));
    try {
      const report = await this.job.result;
      cancel.disabled = true;
      if (!report) {
        state.textContent = 'Cancelled';
        return;
      }
      this.facts.swapped = await models.setSwapped(dials);
      await show();
      state.textContent = `Ready: ${summary(report)}${report.fromCache ? ', taken from the cache' : ''}`;
    } catch (failure) {
      state.textContent = 'Swapping failed';
      throw failure;
    } finally {
      this.job = null;
      cancel.disabled = true;
      open.disabled = swap.disabled = false;
      hideProgress();
    }
  }
}
