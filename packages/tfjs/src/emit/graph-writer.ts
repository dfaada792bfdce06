import type { AttentionBlock, BlockWriter, Stream } from '@mhe/core';
import { FormError } from '@mhe/core';
import type { GraphValue, Size } from './graph-value.js';
import { apart } from './graph-value.js';
import type { NodeBuilder } from './node-builder.js';
import { graphPort } from './port.js';
import { Shaper } from './shaper.js';

/** Names of the open sizes of a block. */
const BATCH = 'batch';

/** Writes a block as TensorFlow nodes. */
export function graphWriter(builder: NodeBuilder, block: AttentionBlock): BlockWriter<GraphValue> {
  const shaper = new Shaper(builder);
  const port = graphPort(builder, shaper);
  const { query, key } = block;
  const isSelf = query.stream?.value === key.stream?.value && String(query.stream?.axes) === String(key.stream?.axes);
  /** Keys and values are as many; so are queries, where they read the same stream. */
  const lengthOf = (stream: Stream) => (stream === query.stream && !isSelf ? 'queries' : 'keys');
  return {
    port,
    stream(stream) {
      const length = lengthOf(stream);
      const value = placed(port, stream);
      const sequence = stream.axes.flatMap((axis, at) => (axis === 'sequence' ? [at] : []));
      const batch = stream.axes.indexOf('batch');
      shaper.learn(BATCH, stream.value, [batch]);
      shaper.learn(length, stream.value, sequence);
      const dims = [BATCH, length, stream.channels];
      return { name: value, dims, axes: sequence.length === 1 ? apart(dims) : null };
    },
    value(name) {
      throw new FormError(
        'folded',
        `it reads "${name}" before its products, which graphs of TensorFlow are not rewritten for`,
      );
    },
    probabilities({ dims }) {
      if (block.axes && block.axes.merged !== null) {
        throw new FormError(
          'folded',
          'its heads are merged with the batch, which graphs of TensorFlow are not rewritten for',
        );
      }
      const order = block.axes?.probabilities ?? [];
      const own = new Array<Size>(order.length);
      order.forEach((axis, at) => {
        own[axis] = dims[at] as Size;
      });
      return { name: block.chain.probabilities, dims: own, axes: apart(own) };
    },
    put(value, name) {
      const made = shaper.spread(value);
      if (builder.isComputed(made)) builder.rename(made, name);
      else builder.rename(builder.node('Identity', [made]), name);
    },
  };
}

/** A stream's value with its axes in the order batch, sequence, channel. */
function placed(port: BlockWriter<GraphValue>['port'], { value, axes }: Stream): string {
  const at = (part: string) => axes.flatMap((axis, i) => (axis === part ? [i] : []));
  const order = [...at('batch'), ...at('sequence'), ...at('channel')];
  const dims = axes.map((_, axis) => `axis ${axis}`);
  return port.transpose({ name: value, dims, axes: apart(dims) }, order).name;
}
