import { element } from '@mhe/example-page/element';
import { count, megabytes } from '@mhe/example-page/figures';
import type { ModelFacts } from '@mhe/example-page/model-pair';
import type { Answer } from './chats.js';

/** A model's column of the page: what there is to say of it, and what was said. */
export class Conversation {
  private line: HTMLElement | null = null;

  constructor(private readonly place: HTMLElement) {}

  /** Shows the message, and a line for the answer that is to come. */
  ask(message: string): void {
    this.line = element('p', { className: 'assistant' });
    this.part('.conversation').append(element('p', { className: 'user' }, message), this.line);
  }

  /** Writes on. */
  write(text: string): void {
    this.line?.append(text);
  }

  show({ bytes, loadMilliseconds }: ModelFacts, answer?: Answer): void {
    const facts: Readonly<Record<string, string>> = {
      Size: megabytes(bytes),
      Load: `${loadMilliseconds.toFixed(0)} ms`,
      ...(answer && {
        Speed: Number.isNaN(answer.tokensPerSecond) ? '' : `${answer.tokensPerSecond.toFixed(1)} tokens a second`,
        'Cache of a token': `${count(cacheOfToken(answer))} bytes`,
        Cache: `${count(answer.cache.bytes)} bytes for ${count(answer.cache.tokens)} tokens`,
      }),
    };
    const terms = Object.entries(facts).flatMap(([term, text]) => [
      element('dt', {}, term),
      element('dd', { className: term.toLowerCase().replaceAll(' ', '-') }, text),
    ]);
    this.part('.facts').replaceChildren(...terms);
    this.part('.quiet', true)?.setAttribute('hidden', '');
  }

  /** Takes away what was said. */
  forget(): void {
    this.line = null;
    this.part('.conversation').replaceChildren();
  }

  /** Takes away all. */
  clear(): void {
    this.forget();
    this.part('.facts').replaceChildren();
    this.part('.quiet', true)?.removeAttribute('hidden');
  }

  private part(selector: string): Element;
  private part(selector: string, optional: true): Element | null;
  private part(selector: string, optional?: true): Element | null {
    const found = this.place.querySelector(selector);
    if (!found && !optional) throw new Error(`The page has no ${selector} in ${this.place.id}.`);
    return found;
  }
}

/** In a sentence how far two answers agree, and what is saved. */
export function agreement(original: Answer, swapped: Answer): string {
  const { tokens } = original;
  const differs = tokens.findIndex((token, i) => token !== swapped.tokens[i]);
  const same = differs < 0 ? tokens.length : differs;
  const saved = 100 * (1 - cacheOfToken(swapped) / cacheOfToken(original));
  const agree = same === tokens.length ? `all ${same} tokens are the same` : `the first ${same} tokens are the same`;
  return `Agreement: ${agree}; the cache is ${saved.toFixed(1)} % smaller.`;
}

function cacheOfToken({ cache: { bytes, tokens } }: Answer): number {
  return bytes / tokens;
}
