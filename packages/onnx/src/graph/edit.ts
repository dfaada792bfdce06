import type { Message } from '@bufbuild/protobuf';

/**
 * A copy of a message with some fields changed. Everything else is shared with the original: sub-messages, byte
 * buffers, and the fields this version of ONNX does not know.
 *
 * @param message - the message to copy; it is not changed.
 * @param changes - the fields that differ.
 */
export function edit<M extends Message>(message: M, changes: Partial<Omit<M, keyof Message>>): M {
  // The prototype holds the defaults of fields that are not set, so that they stay unset in the copy.
  return Object.assign(Object.create(Object.getPrototypeOf(message)), message, changes) as M;
}
