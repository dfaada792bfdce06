import type { SiteSelection } from '@mhe/core';
import type { Dtype } from '@mhe/transformers';
import { InvalidArgumentError } from 'commander';

/** Reads a whole number of at least `minimum`. */
export function wholeNumber(minimum: number): (value: string) => number {
  return (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(number) || number < minimum) {
      throw new InvalidArgumentError(`A whole number of at least ${minimum} is expected.`);
    }
    return number;
  };
}

/** Reads a share: a number from 0 to 1. */
export function share(value: string): number {
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (!(number >= 0 && number <= 1)) throw new InvalidArgumentError('A number from 0 to 1 is expected.');
  return number;
}

// Of the adapter, which is loaded on first use.
const DTYPES: readonly Dtype[] = [
  'fp32',
  'fp16',
  'q8',
  'int8',
  'uint8',
  'q4',
  'q4f16',
  'q2',
  'q2f16',
  'q1',
  'q1f16',
  'bnb4',
];

/**
 * Reads dtypes of transformers.js, divided by commas. Those that cannot be swapped are refused by the adapter, which says what
 * converts to them.
 */
export function dtypes(value: string): Dtype[] {
  return value.split(',').map((name) => {
    const dtype = DTYPES.find((each) => each === name.trim());
    if (dtype === undefined) throw new InvalidArgumentError(`It is one or more of ${DTYPES.join(', ')}.`);
    return dtype;
  });
}

/** Reads a number of groups: a whole number or `heads`. */
export function groupCount(value: string): number | 'heads' {
  return value === 'heads' ? value : wholeNumber(1)(value);
}

/**
 * Reads which sites to swap: `all`; numbers and ranges (`0,2-4`); a regular expression between slashes (`/layer\.1/`,
 * `/LAYER/i`); or a name, in which `*` stands for anything and `?` for one character.
 *
 * @throws InvalidArgumentError for ranges that run backwards, expressions that are none, and flags other than `i`.
 */
export function siteSelection(value: string): SiteSelection {
  if (value === 'all') return 'all';
  if (/^[\d,\s-]+$/.test(value)) return siteNumbers(value);
  const [, source, flags = ''] = /^\/(.+)\/([dgimsuvy]*)$/.exec(value) ?? [];
  if (source === undefined) return namePattern(value);
  if (flags !== '' && flags !== 'i') {
    throw new InvalidArgumentError(
      `It reads as a regular expression with the flags "${flags}", and only i is taken: /${source}/ or /${source}/i. ` +
        `For a name that ends so, write *${value.slice(1)}.`,
    );
  }
  return regularExpression(source, flags);
}

function siteNumbers(value: string): number[] {
  return value.split(',').flatMap((part) => {
    const [, first, last = first] = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part) ?? [];
    const from = Number(first);
    const to = Number(last);
    if (!(from <= to) || to > 9999) throw new InvalidArgumentError(`"${part}" is no site number or range such as 2-4.`);
    return Array.from({ length: to - from + 1 }, (_, offset) => from + offset);
  });
}

function regularExpression(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

function namePattern(name: string): RegExp {
  const escaped = name.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}
