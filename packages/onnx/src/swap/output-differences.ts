import type { OutputDifference } from '@mhe/core';
import { Difference } from '@mhe/core';
import type { HostTensors } from '../run/host-tensor.js';
import { numberTensor } from './number-tensor.js';

/**
 * How outputs of a model differ after a swap, input by input: all outputs of all inputs may be more than memory holds. A
 * cache of fewer heads, which holds something else, is left out.
 */
export class OutputDifferences {
  private readonly differences: Map<string, Difference>;

  constructor(names: readonly string[]) {
    this.differences = new Map(names.map((name) => [name, new Difference()]));
  }

  /** What one input gave. */
  add(before: HostTensors, after: HostTensors): void {
    for (const [name, difference] of this.differences) {
      const [expected, actual] = [before[name], after[name]];
      if (expected?.dims.join() !== actual?.dims.join()) this.differences.delete(name);
      else if (expected && actual && expected.dtype.startsWith('float'))
        difference.add(numberTensor(actual), numberTensor(expected));
    }
  }

  /** In the order of the names. */
  all(): OutputDifference[] {
    return [...this.differences].map(([name, difference]) => difference.toOutput(name));
  }
}
