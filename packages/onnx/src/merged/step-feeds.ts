import type { OnnxModel } from '../graph/model.js';
import type { HostTensor, HostTensors } from '../run/host-tensor.js';
import { modelInputs } from '../run/model-inputs.js';
import type { SessionOptions } from '../run/session.js';
import { sliceTensor } from '../run/slice-tensor.js';
import type { Frontier, RunWatch } from '../swap/frontier.js';
import { runAll } from '../swap/frontier.js';
import type { MergedDecoder } from './merged-decoder.js';
import { presentOf } from './merged-decoder.js';

/**
 * Inputs of a later step: the first branch runs all but the last of the new positions of each input, and hands its caches
 * on; what is left is the later branch's.
 *
 * @param first - the first branch, original or swapped.
 * @param frontier - inputs of first steps.
 */
export async function stepFeeds(
  decoder: MergedDecoder,
  first: OnnxModel,
  frontier: Frontier,
  session: SessionOptions,
  watch: RunWatch,
): Promise<Frontier> {
  const axes = newPositions(decoder);
  const cut = (values: HostTensors, part: 'before' | 'last'): HostTensors => {
    const isLong = [...axes].every(([name, axis]) => (values[name]?.dims[axis] ?? 2) > 1);
    if (!isLong) return values;
    const parts = [...axes].flatMap(([name, axis]): [string, HostTensor][] => {
      const value = values[name];
      if (!value) return [];
      const last = (value.dims[axis] as number) - 1;
      if (part === 'before') return [[name, sliceTensor(value, axis, 0, last)]];
      return [[name, name === WHOLE ? value : sliceTensor(value, axis, last, last + 1)]];
    });
    return { ...values, ...Object.fromEntries(parts) };
  };
  const handedOn = decoder.pasts.map(presentOf);
  const results = await runAll(
    first,
    frontier.map((values) => cut(values, 'before')),
    session,
    watch,
    handedOn,
  );
  return frontier.map((values, i) => ({
    ...cut(values, 'last'),
    ...Object.fromEntries(decoder.pasts.map((past) => [past, results[i]?.[presentOf(past)] as HostTensor])),
  }));
}

/** The mask of a decoder without an encoder: a later step is given that of all positions, whatever its size is called. */
const WHOLE = 'attention_mask';

/** The axis of new positions of each input that has one: its size bears the name that a size of the outputs bears. */
function newPositions({ model, pasts }: MergedDecoder): ReadonlyMap<string, number> {
  const caches = new Set(pasts.flatMap((past) => [past, presentOf(past)]));
  const names = new Set<string>();
  for (const { name, type } of model.proto.graph?.output ?? []) {
    if (caches.has(name) || type?.value.case !== 'tensorType') continue;
    for (const { value } of type.value.value.shape?.dim.slice(1) ?? []) {
      if (value.case === 'dimParam' && value.value !== '') names.add(value.value);
    }
  }
  return new Map(
    modelInputs(model).flatMap(({ name, dims }) => {
      if (name === WHOLE && dims?.length === 2) return [[name, 1] as const];
      const axis = caches.has(name) ? -1 : (dims ?? []).findIndex((dim) => typeof dim === 'string' && names.has(dim));
      return axis < 0 ? [] : [[name, axis] as const];
    }),
  );
}
