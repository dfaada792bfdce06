import type { FeedTensor, OnnxModel } from '@mhe/onnx';
import { isPast } from '../past.js';
import type { Encoded } from './encoder.js';

type Input = NonNullable<OnnxModel['proto']['graph']>['input'][number];

/**
 * What the library feeds a decoder in its first run, beside what a tokenizer makes: positions, empty caches, and what tells
 * the graph to use none and to give the logits of all positions. Version 4 counts Gemma's positions from 1; rotated queries
 * and keys do not see that.
 */
export function decoderInputs(inputs: readonly Input[], encoded: Encoded): Encoded {
  const ids = encoded.input_ids;
  if (ids === undefined) return {};
  const attention_mask = encoded.attention_mask ?? { dims: ids.dims, data: new Uint8Array(ids.data.length).fill(1) };
  const caches = inputs.filter(({ name }) => isPast(name)).map((input) => [input.name, emptyCache(input)] as const);
  return {
    attention_mask,
    position_ids: { dims: ids.dims, data: positions(attention_mask) },
    use_cache_branch: { dims: [1], data: [false] },
    num_logits_to_keep: { dims: [], data: [0] },
    ...Object.fromEntries(caches),
  };
}

/** One sequence of no positions, of the sizes that the file declares. */
function emptyCache({ type }: Input): FeedTensor {
  const tensor = type?.value;
  const declared = tensor?.case === 'tensorType' ? (tensor.value.shape?.dim ?? []) : [];
  const dims = declared.map(({ value }, axis) => {
    if (value.case === 'dimValue') return Number(value.value);
    return axis === 0 ? 1 : 0;
  });
  return { dims, data: [] };
}

/** Counted over what is not masked, as in the library. */
function positions({ data }: FeedTensor): number[] {
  let next = 0;
  return Array.from(data, (kept) => (Number(kept) === 0 ? 1 : next++));
}
