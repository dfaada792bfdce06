import type { Tensor } from '@tensorflow/tfjs-core';
import type { AttentionMasks } from './attention-mask.js';
import type { AttentionStreams } from './attention-streams.js';
import type { AttentionCallArgs } from './call-args.js';

/** The Keras masks of the streams: as given, or as their tensors carry; the same tensor has the same mask. */
export function kerasMasks(
  { query, value, key }: AttentionStreams<Tensor>,
  given: AttentionCallArgs['mask'],
): Pick<AttentionMasks, 'query' | 'value' | 'key'> {
  const list: readonly (Tensor | null | undefined)[] = [given].flat();
  const ofQuery = list[0] ?? query.kerasMask ?? null;
  const ofValue = list[1] ?? value.kerasMask ?? (value === query ? ofQuery : null);
  const ofKey = list[2] ?? key.kerasMask ?? (key === value ? ofValue : key === query ? ofQuery : null);
  return { query: ofQuery, value: ofValue, key: ofKey };
}
