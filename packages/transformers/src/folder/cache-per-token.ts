import type { Inspection, OnnxModel } from '@mhe/onnx';
import { isPast } from '../past.js';

type Declared = NonNullable<OnnxModel['proto']['graph']>['input'][number];

/**
 * Elements of keys and values that a decoder keeps for every token: those of its self-attention, whether that is found or
 * not. Inputs and outputs together declare how many; a swapped file leaves the heads of its inputs open.
 *
 * @returns 0 where it has no caches.
 */
export function cachePerToken({ proto: { graph } }: OnnxModel, { attention }: Inspection): number {
  const outputs = new Map(graph?.output.map((output) => [output.name, output]));
  const declared = new Map(
    graph?.input.flatMap((input): [string, number][] => {
      const size = declaredSize(input, outputs.get(input.name.replace(/^past_key_values/, 'present')));
      return isPast(input.name) && size !== null ? [[input.name, size]] : [];
    }),
  );
  // What it keeps of an encoder's output is as long as that.
  const ofTokens = [...declared].filter(([name]) => !name.includes('.encoder.'));
  const others = attention.flatMap(({ kind, cache, groups, headDim, valueHeadDim }) => {
    if (kind !== 'self') return [];
    const sizes = [
      [cache?.key, groups.queryKey * headDim],
      [cache?.value, groups.value * valueHeadDim],
    ] as const;
    return sizes.flatMap(([part, size]) => (part && !declared.has(part.past) ? [size] : []));
  });
  return [...ofTokens.map(([, size]) => size), ...others].reduce((sum, size) => sum + size, 0);
}

/** Heads by features, which either of the two declares; `null` where they do not tell both. */
function declaredSize(past: Declared, present: Declared | undefined): number | null {
  const [before, after] = [sizes(past), sizes(present)];
  const known = before.map((size, axis) => size ?? after[axis] ?? null).filter((size) => size !== null);
  return before.length === 4 && known.length === 2 ? known.reduce((product, size) => product * size, 1) : null;
}

/** The sizes of the axes that are fixed, `null` for open ones. */
function sizes(info: Declared | undefined): (number | null)[] {
  const tensor = info?.type?.value;
  const dims = tensor?.case === 'tensorType' ? (tensor.value.shape?.dim ?? []) : [];
  return dims.map(({ value }) => (value.case === 'dimValue' && value.value > 0n ? Number(value.value) : null));
}
