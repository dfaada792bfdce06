import { byId } from './element.js';
import type { SwapStep } from './swap-model.js';
import type { Dials } from './swap-options.js';

/** What the page's dials are set to. */
export function readDials(): Dials {
  const chosen = (id: string) => byId(id, HTMLSelectElement).value;
  const groups = (id: string) => (chosen(id) === 'heads' ? 'heads' : Number(chosen(id)));
  return {
    groups: { queryKey: groups('query-key'), value: groups('value') },
    embedding: chosen('embedding') === 'add' ? 'add' : 'mul',
    texts: linesOf(byId('fit-texts', HTMLTextAreaElement).value),
    madeUp: Number(chosen('made-up')),
  };
}

/** The lines of a text that are not blank. */
export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

const stageNames: Readonly<Record<SwapStep['stage'], string>> = {
  load: 'Loading the model',
  capture: 'Looking at what the layers see',
  verify: 'Checking that the layers are understood',
  fit: 'Fitting shared projections',
  compare: 'Comparing with the original',
};

/** Shows how far a swap is. */
export function showStep({ stage, share }: SwapStep): void {
  showProgress(stageNames[stage], share);
}

/** Shows how far some work is. */
export function showProgress(what: string, share: number): void {
  byId('working', HTMLElement).hidden = false;
  byId('stage', HTMLElement).textContent = what;
  byId('progress', HTMLProgressElement).value = share;
}

/** Shows that no work is going on. */
export function hideProgress(): void {
  byId('working', HTMLElement).hidden = true;
}
