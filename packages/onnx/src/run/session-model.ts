import { toBinary } from '@bufbuild/protobuf';
import {
  type GraphProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  type ValueInfoProto,
} from 'onnx-buf';
import { mapTensors } from '../file/map-tensors.js';
import { inline, outside } from '../file/plan-external-data.js';
import { isOnnxDomain } from '../graph/constant-tensor.js';
import { edit } from '../graph/edit.js';
import { type GraphIndex, graphIndex } from '../graph/graph-index.js';
import type { OnnxModel } from '../graph/model.js';
import { valueInfo } from '../graph/value-info.js';
import { isExternal } from '../tensor/external-range.js';
import type { HostTensor, HostTensors } from './host-tensor.js';

/** A model as ONNX Runtime loads it from memory. */
export interface SessionModel {
  /** The encoded message, without its large tensors. */
  readonly bytes: Uint8Array;
  /** Its large tensors, each a file of its own to the runtime; mostly views of the model's own memory. */
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
  /** Large tables that are only looked up: inputs to the runtime, to be fed in every run. */
  readonly tables: HostTensors;
}

/** Smaller tensors travel in the message. */
const LARGE = 2 ** 16;

/**
 * Prepares a model for a session. Large initialisers are handed over beside the message: the runtime copies them
 * from where they are, which halves the memory against encoding them, and no message or buffer grows past 2 GB.
 *
 * @param model - the model; nothing of it is changed.
 * @param takesExternalData - `false`: they stay in the message, for runtimes that take none beside it.
 * @throws OnnxFileError where external data is missing or of the wrong size.
 */
export function sessionModel(model: OnnxModel, takesExternalData = true): SessionModel {
  const externalData: { path: string; data: Uint8Array }[] = [];
  const proto = mapTensors(model.proto, (tensor) => (isExternal(tensor) ? inline(tensor, model) : tensor));
  // Those of nested graphs stay: the runtime looks for their data on disk only.
  const tables: Record<string, HostTensor> = {};
  const declared: ValueInfoProto[] = [];
  let index: GraphIndex | undefined;
  const initializer = proto.graph?.initializer.flatMap((tensor) => {
    if (tensor.rawData.byteLength < LARGE) return tensor;
    index ??= graphIndex(proto.graph as GraphProto);
    const table = isOnlyLookedUp(index, tensor.name) ? hostTensor(tensor) : undefined;
    if (table) {
      tables[tensor.name] = table;
      declared.push(valueInfo(tensor.name, tensor.dataType, tensor.dims));
      return [];
    }
    if (!takesExternalData) return tensor;
    const path = `tensor-${externalData.length}`;
    externalData.push({ path, data: tensor.rawData });
    return outside(tensor, path, 0, tensor.rawData.byteLength);
  });
  const message =
    proto.graph && initializer
      ? edit(proto, { graph: edit(proto.graph, { initializer, input: [...proto.graph.input, ...declared] }) })
      : proto;
  return { bytes: toBinary(ModelProtoSchema, message), externalData, tables };
}

/**
 * Whether a value is only what `Gather` takes rows from. The runtime gains nothing from knowing such a table
 * beforehand, and would copy it twice.
 */
function isOnlyLookedUp(index: GraphIndex, name: string): boolean {
  const readers = index.consumers(name);
  const isLookUp = ({ node }: (typeof readers)[number]) => {
    const { opType, domain, input } = index.node(node);
    return opType === 'Gather' && isOnnxDomain(domain) && input[0] === name && input[1] !== name;
  };
  return (
    readers.length > 0 &&
    !index.graph.input.some((input) => input.name === name) &&
    !index.outputs.has(name) &&
    readers.every(isLookUp)
  );
}

function hostTensor({ dataType, dims, rawData }: TensorProto): HostTensor | undefined {
  if (dataType !== TensorProto_DataType.FLOAT) return undefined;
  const { buffer, byteOffset, byteLength } = rawData;
  const aligned = byteOffset % Float32Array.BYTES_PER_ELEMENT === 0;
  const data = aligned
    ? new Float32Array(buffer, byteOffset, byteLength / 4)
    : new Float32Array(rawData.slice().buffer);
  return { dtype: 'float32', dims: dims.map(Number), data };
}
