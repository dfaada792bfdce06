import { element } from './element.js';
import type { Rankings } from './rank.js';

/** Shows what there is to say of one model, and the sentences from the nearest on. */
export function showModel(
  place: HTMLElement,
  facts: Readonly<Record<string, string>>,
  scores: readonly number[],
  sentences: readonly string[],
): void {
  const terms = Object.entries(facts).flatMap(([term, text]) => [
    element('dt', {}, term),
    element('dd', { className: term.toLowerCase() }, text),
  ]);
  place.querySelector('.facts')?.replaceChildren(...terms);
  const items = inOrder(scores).map((i) => {
    const score = scores[i] ?? 0;
    const bar = element('meter', { min: 0, max: 1, value: Math.max(0, score), ariaHidden: 'true' });
    const line = element('span', { className: 'sentence' }, sentences[i] ?? '');
    return element('li', {}, line, element('span', { className: 'score' }, bar, ` ${score.toFixed(3)}`));
  });
  place.querySelector('.ranking')?.replaceChildren(...items);
  place.querySelector('.quiet')?.setAttribute('hidden', '');
}

/** In a sentence how far the two rankings agree. */
export function agreement({ original, swapped }: Rankings): string {
  if (!swapped) return '';
  const [before, after] = [inOrder(original.scores), inOrder(swapped.scores)];
  const top = Math.min(3, before.length);
  const kept = before.slice(0, top).filter((i) => after.slice(0, top).includes(i)).length;
  const same = before[0] === after[0] ? 'the same sentence first' : 'another sentence first';
  return `Agreement: ${same}, ${kept} of the first ${top} the same; mean cosine of the vectors ${swapped.likeOriginal.toFixed(4)}.`;
}

/** The sentences' places, the highest score first. */
function inOrder(scores: readonly number[]): number[] {
  return scores.map((_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
}

/** Takes away what `showModel` shows. */
export function clearModel(place: HTMLElement): void {
  for (const list of place.querySelectorAll('.facts, .ranking')) list.replaceChildren();
  place.querySelector('.quiet')?.removeAttribute('hidden');
}
