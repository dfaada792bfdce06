import { DTYPES, type Dtype } from './dtype.js';

/**
 * Refuses what the types of `files` and `dtypes` rule out: JavaScript callers have no types.
 *
 * @throws RangeError naming the option, what it was and what it may be.
 */
export function checkFileOptions(files: 'all' | readonly string[], dtypes: readonly Dtype[] | null): void {
  if (files !== 'all' && !isList(files, (name) => typeof name === 'string')) {
    throw refusal('files', files, "'all', or a list of names such as ['model']");
  }
  if (dtypes !== null && !isList(dtypes, (dtype) => DTYPES.includes(dtype))) {
    throw refusal('dtypes', dtypes, `a list of dtypes such as ['fp32', 'fp16']; there are ${DTYPES.join(', ')}`);
  }
}

function isList<Item>(value: readonly Item[], isItem: (item: Item) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isItem);
}

function refusal(name: string, value: unknown, expected: string): RangeError {
  return new RangeError(`${name}: ${JSON.stringify(value)} is not possible; give ${expected}`);
}
