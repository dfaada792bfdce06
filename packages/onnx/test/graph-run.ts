import { toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { OnnxModel } from '../src/graph/model.js';

/** Runs a model of float vectors in ONNX Runtime itself, with none of the code under test. */
export async function runFloats(model: OnnxModel, feeds: Record<string, Float32Array>) {
  const session = await InferenceSession.create(toBinary(ModelProtoSchema, model.proto), { logSeverityLevel: 3 });
  const tensors = Object.entries(feeds)
    .filter(([name]) => session.inputNames.includes(name))
    .map(([name, data]) => [name, new Tensor('float32', data.slice(), [data.length])] as const);
  const results = await session.run(Object.fromEntries(tensors));
  const copied = Object.entries(results).map(([name, tensor]) => [
    name,
    Float32Array.from(tensor.data as Float32Array),
  ]);
  await session.release();
  return Object.fromEntries(copied) as Record<string, Float32Array>;
}
