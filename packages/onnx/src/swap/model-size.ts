import type { GraphProto, TensorProto } from 'onnx-buf';
import { nestedGraphs } from '../graph/captures.js';
import { constantNodeTensor } from '../graph/constant-tensor.js';
import type { OnnxModel } from '../graph/model.js';
import { isFloatDtype } from '../tensor/decode-float.js';
import { dtypeOf, rawByteLength } from '../tensor/dtype.js';
import { elementCount } from '../tensor/tensor-dims.js';

/** Elements and bytes of a model's floating-point tensors: initialisers and constants, nested graphs included. */
export function modelSize(model: OnnxModel): { readonly parameters: number; readonly bytes: number } {
  let [parameters, bytes] = [0, 0];
  for (const tensor of model.proto.graph ? tensorsOf(model.proto.graph) : []) {
    const dtype = dtypeOf(tensor);
    if (!isFloatDtype(dtype)) continue;
    const count = elementCount(tensor, model);
    parameters += count;
    bytes += rawByteLength(dtype, count) ?? 0;
  }
  return { parameters, bytes };
}

function* tensorsOf(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  for (const node of graph.node) {
    const tensor = constantNodeTensor(node);
    if (tensor) yield tensor;
    for (const nested of nestedGraphs(node)) yield* tensorsOf(nested);
  }
}
