import type { AttentionBlock, BlockWriter } from '@mhe/core';
import { dataTypeOf } from '../tensor/dtype.js';
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
    ...(builder.target.dtype !== 'float32' && {
      rootMeanSquare: (value, axes, epsilon) => rootInFloat32(builder, value, axes, epsilon),
    }),
    put: (value, name) => builder.rename(value, name),
  };
}

/** Squares pass what half precision holds long before their root does. */
function rootInFloat32(builder: NodeBuilder, value: string, axes: readonly number[], epsilon: number): string {
  const port = onnxPort(builder);
  const wide = builder.node('Cast', [value], { to: dataTypeOf('float32') });
  const squares = port.add(port.mean(port.mul(wide, wide), axes), builder.float32(epsilon));
  return builder.node('Cast', [port.sqrt(squares)], { to: dataTypeOf(builder.target.dtype) });
}
