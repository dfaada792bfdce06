import { create, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, StringStringEntryProtoSchema, type TensorProto, TensorProto_DataLocation } from 'onnx-buf';
import { planExternalData } from '../file/plan-external-data.js';
import { edit } from '../graph/edit.js';
import type { OnnxModel } from '../graph/model.js';

/** A model as ONNX Runtime loads it from memory. */
export interface SessionModel {
  /** The encoded message, without its large tensors. */
  readonly bytes: Uint8Array;
  /** Its large tensors, each a file of its own to the runtime; mostly views of the model's own memory. */
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/** Smaller tensors travel in the message. */
const LARGE = 2 ** 16;

/**
 * Prepares a model for a session. Large initialisers are handed over beside the message: the runtime copies them
 * from where they are, which halves the memory against encoding them, and no message or buffer grows past 2 GB.
 *
 * @param model - the model; nothing of it is changed.
 * @throws OnnxFileError where external data is missing or of the wrong size.
 */
export function sessionModel(model: OnnxModel): SessionModel {
  const externalData: { path: string; data: Uint8Array }[] = [];
  const { proto } = planExternalData(model, '', 'never');
  // Those of nested graphs stay: the runtime looks for their data on disk only.
  const initializer = proto.graph?.initializer.map((tensor) => {
    if (tensor.rawData.byteLength < LARGE) return tensor;
    const path = `tensor-${externalData.length}`;
    externalData.push({ path, data: tensor.rawData });
    return outside(tensor, path);
  });
  const message = proto.graph && initializer ? edit(proto, { graph: edit(proto.graph, { initializer }) }) : proto;
  return { bytes: toBinary(ModelProtoSchema, message), externalData };
}

function outside(tensor: TensorProto, location: string): TensorProto {
  const entries = { location, offset: '0', length: String(tensor.rawData.byteLength) };
  const moved = edit(tensor, {
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  });
  // Not set is not the same as empty.
  delete (moved as Partial<TensorProto>).rawData;
  return moved;
}
