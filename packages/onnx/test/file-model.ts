import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema, type TensorProto, TensorProto_DataType } from 'onnx-buf';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { onTestFinished } from 'vitest';
import type { OnnxModel } from '../src/graph/model.js';
import { encodeTensor } from '../src/tensor/encode-tensor.js';

/** A new folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mhe-file-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `y = x W + b` with `x: [1, size]`, weights as initialisers `W` and `b`, or what is given for them. */
export function affineModel(size = 4, weights: Partial<Record<'W' | 'b', TensorProto>> = {}): ModelProto {
  const value = (name: string) => ({
    name,
    type: {
      value: {
        case: 'tensorType' as const,
        value: {
          elemType: TensorProto_DataType.FLOAT,
          shape: { dim: [1, size].map((dim) => ({ value: { case: 'dimValue' as const, value: BigInt(dim) } })) },
        },
      },
    },
  });
  const numbers = (count: number, seed: number) =>
    new Float64Array(count).map((_, i) => Math.fround(Math.sin(i * seed)));
  return create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'a test',
    opsetImport: [{ domain: '', version: 17n }],
    graph: {
      name: 'affine',
      input: [value('x')],
      output: [value('y')],
      initializer: [
        weights.W ?? encodeTensor('W', 'float32', [size, size], numbers(size * size, 1.3)),
        weights.b ?? encodeTensor('b', 'float32', [size], numbers(size, 0.7)),
      ],
      node: [
        { name: 'product', opType: 'MatMul', input: ['x', 'W'], output: ['h'] },
        { name: 'sum', opType: 'Add', input: ['h', 'b'], output: ['y'] },
      ],
    },
  });
}

/** What `affineModel` computes of `x_i = i + 1`, by ONNX Runtime. */
export async function runAffine(
  model: string | Uint8Array,
  size = 4,
  options: InferenceSession.SessionOptions = {},
): Promise<number[]> {
  const session = await InferenceSession.create(model as string, { logSeverityLevel: 3, ...options });
  try {
    const x = new Tensor(
      'float32',
      Float32Array.from({ length: size }, (_, i) => i + 1),
      [1, size],
    );
    return Array.from((await session.run({ x })).y?.data as Float32Array);
  } finally {
    await session.release();
  }
}

/** A model in memory that was never in a file. */
export function inMemory(proto: ModelProto): OnnxModel {
  return { proto, externalData: new Map(), name: 'made.onnx' };
}

/** The bytes of a model by the protobuf library alone. */
export function plainBytes(proto: ModelProto): Uint8Array {
  return toBinary(ModelProtoSchema, proto);
}
