import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema } from 'onnx-buf';
import { dtypeOf, rawByteLength } from '../tensor/dtype.js';
import { IN_MESSAGE } from '../tensor/external-range.js';
import { elementCount } from '../tensor/tensor-dims.js';
import { mapTensors } from './map-tensors.js';
import { outside } from './plan-external-data.js';

/** Smaller tensors are kept in memory. */
const LARGE = 2 ** 16;

/**
 * Leaves a message's large tensors in the file that it was parsed from, so that a model takes little memory until its
 * weights are asked for. They still belong into the message: it is written with them in it.
 *
 * @param proto - the message; its byte fields are views into `bytes`.
 * @param bytes - the whole file. Nothing of the result refers to it.
 * @param name - what an error message calls the model.
 * @returns the message itself where it has no large tensors.
 */
export function leaveInFile(proto: ModelProto, bytes: Uint8Array, name: string): ModelProto {
  const left = mapTensors(proto, (tensor) => {
    const { byteLength, byteOffset, buffer } = tensor.rawData;
    if (byteLength < LARGE || buffer !== bytes.buffer) return tensor;
    const dtype = dtypeOf(tensor);
    // A tensor of the wrong size is said to be damaged by whoever reads it.
    const isSound = dtype !== undefined && rawByteLength(dtype, elementCount(tensor, { name })) === byteLength;
    return isSound ? outside(tensor, IN_MESSAGE, byteOffset - bytes.byteOffset, byteLength) : tensor;
  });
  // What is small was a view into the whole file, too.
  return left === proto ? proto : fromBinary(ModelProtoSchema, toBinary(ModelProtoSchema, left));
}
