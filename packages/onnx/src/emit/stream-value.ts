import type { Stream, TensorPort } from '@mhe/core';

/** Brings a stream to `[batch, sequence, channel]`; one that is so already stays itself. */
export function streamValue(port: TensorPort<string>, stream: Stream): string {
  const at = (part: string) => stream.axes.flatMap((axis, i) => (axis === part ? [i] : []));
  const order = [...at('batch'), ...at('sequence'), ...at('channel')];
  const placed = order.every((axis, i) => axis === i) ? stream.value : port.transpose(stream.value, order);
  return at('sequence').length === 1 ? placed : port.reshape(placed, [0, -1, stream.channels]);
}
