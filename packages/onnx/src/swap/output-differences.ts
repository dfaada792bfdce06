import type { OutputDifference } from '@mhe/core';
import { Difference } from '@mhe/core';
import type { Frontier } from './frontier.js';
import { numberTensor } from './number-tensor.js';

/** How outputs of a model differ after a swap, by name; a cache of fewer heads, which holds something else, is left out. */
export function outputDifferences(names: readonly string[], before: Frontier, after: Frontier): OutputDifference[] {
  const isComparable = (name: string) =>
    before.every((values, i) => values[name]?.dims.join() === after[i]?.[name]?.dims.join());
  return names.filter(isComparable).map((name) => {
    const difference = new Difference();
    before.forEach((values, i) => {
      const [expected, actual] = [values[name], after[i]?.[name]];
      if (expected && actual && expected.dtype.startsWith('float'))
        difference.add(numberTensor(actual), numberTensor(expected));
    });
    return difference.toOutput(name);
  });
}
