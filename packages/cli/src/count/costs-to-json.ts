import { exactNumber, type ParameterDifference } from '@mhe/core';
import type { KindCosts } from './kind-costs.js';

/**
 * The costs as `mhe count --json` prints them: `parameters` are the total, `parts` sum to it, `multiplyAdds` and
 * `scoreBytes` (of one layer) are there where a sequence length was given.
 *
 * @throws RangeError where a count is too large to be an exact number in JSON.
 */
export function costsToJson(costs: readonly KindCosts[], differences: readonly ParameterDifference[]) {
  return {
    kinds: costs.map(({ computation, parameters, bytes, cacheBytesPerToken, atLength }) => {
      const { kind, ...settings } = computation;
      const { total, ...parts } = parameters;
      return {
        kind,
        parameters: exactNumber(total),
        ...settings,
        parts: exactNumbers(parts),
        bytes: exactNumber(bytes),
        cacheBytesPerToken: exactNumber(cacheBytesPerToken),
        ...(atLength && {
          multiplyAdds: exactNumbers({ ...atLength.operations }),
          scoreBytes: exactNumber(atLength.scoreBytes),
        }),
      };
    }),
    differences: differences.map(({ kind, reference, parameters }) => ({
      kind,
      reference,
      parameters: exactNumber(parameters.total),
    })),
  };
}

function exactNumbers(counts: Readonly<Record<string, bigint>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([part, count]) => [part, exactNumber(count)]));
}
