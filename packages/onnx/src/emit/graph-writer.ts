import type { AttentionBlock, BlockWriter } from '@mhe/core';
import type { NodeBuilder } from './node-builder.js';
import { onnxPort } from './port.js';
import { streamValue } from './stream-value.js';

/** Writes a block as ONNX nodes. */
export function graphWriter(builder: NodeBuilder, block: AttentionBlock): BlockWriter<string> {
  const port = onnxPort(builder);
  return {
    port,
    stream: (stream) => streamValue(port, stream),
    value: (name) => name,
    probabilities: () => block.chain.probabilities,
    put: (value, name) => builder.rename(value, name),
  };
}
