import { create } from '@bufbuild/protobuf';
import { type ModelProto, StringStringEntryProtoSchema, type TensorProto, TensorProto_DataLocation } from 'onnx-buf';
import { edit } from '../graph/edit.js';
import type { ByteSource, OnnxModel } from '../graph/model.js';
import { type ByteRange, externalRange, isExternal, isLeftInFile } from '../tensor/external-range.js';
import { rawBytes } from '../tensor/raw-bytes.js';
import { bytesSource } from './byte-source.js';
import { mapTensors } from './map-tensors.js';

/**
 * Where a written model keeps its tensors.
 * - `auto`: each where it was, in the message or outside; all outside where the message would pass 2 GB.
 * - `always`: initialisers with raw data of 1 KiB and more outside too.
 * - `never`: all in the message, which must then stay below 2 GB.
 */
export type ExternalDataPolicy = 'auto' | 'always' | 'never';

/** A tensor's bytes and their place in the one data file. */
export interface PlacedRange extends ByteRange {
  /** First byte in the data file. */
  readonly at: number;
}

/** The message to write and the data file beside it, which exists only as this plan. */
export interface ExternalDataPlan {
  readonly proto: ModelProto;
  /** In ascending order; zeros between them. */
  readonly ranges: readonly PlacedRange[];
  /** Of the data file; 0 where there is none to write. */
  readonly byteLength: number;
}

/** As `onnx.external_data_helper`: below this a tensor is not worth a place of its own. */
const SMALLEST = 1024;
/** A page, which the ONNX standard asks for, so that tensors can be mapped. */
const PAGE = 4096;
/** Windows maps at multiples of 64 KiB; as ONNX Runtime and onnx-ir do, only for tensors that make it pay. */
const MAP_UNIT = 2 ** 16;
const MAP_WORTH = 2 ** 20;

/**
 * Decides for each tensor whether it is in the message or in the data file, and where there. The order is that of
 * the model, so the same model always gives the same files; data that tensors share stays shared.
 *
 * @param model - the model to write.
 * @param location - name of the data file, as the tensors will give it.
 * @param policy - which tensors go there; what was left in the model's own file and does not go there stays as it is.
 * @throws OnnxFileError where a tensor's data is missing or its size wrong.
 */
export function planExternalData(model: OnnxModel, location: string, policy: ExternalDataPolicy): ExternalDataPlan {
  const ranges: PlacedRange[] = [];
  const placed = new Map<ByteSource, Map<string, number>>();
  let end = 0;

  function place(range: ByteRange): number {
    const { source, offset, length } = range;
    let known = placed.get(source);
    if (known === undefined) {
      known = new Map();
      placed.set(source, known);
    }
    const key = `${offset}+${length}`;
    let at = known.get(key);
    if (at === undefined) {
      const unit = length >= MAP_WORTH ? MAP_UNIT : PAGE;
      at = Math.ceil(end / unit) * unit;
      end = at + length;
      known.set(key, at);
      ranges.push({ ...range, at });
    }
    return at;
  }

  const proto = mapTensors(model.proto, (tensor, role) => {
    if (isExternal(tensor)) {
      // Written into the message from where it is.
      if (isLeftInFile(tensor) && (policy !== 'always' || role !== 'initializer')) return tensor;
      if (policy === 'never') return inline(tensor, model);
      const range = externalRange(tensor, model);
      // Nothing to map, and some readers refuse to.
      if (range.length === 0) return inline(tensor, model);
      return outside(tensor, location, place(range), range.length);
    }
    const length = tensor.rawData.byteLength;
    if (policy !== 'always' || role !== 'initializer' || length < SMALLEST) return tensor;
    const source = bytesSource(tensor.rawData, tensor.name);
    return outside(tensor, location, place({ source, offset: 0, length }), length);
  });
  return { proto, ranges, byteLength: end };
}

/**
 * A tensor whose data is elsewhere. Whatever else was said of the old file, a checksum or an offset of packed weights,
 * does not hold of the new one.
 */
export function outside(tensor: TensorProto, location: string, offset: number, length: number): TensorProto {
  const entries = { location, offset: String(offset), length: String(length) };
  const moved = edit(tensor, {
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  });
  // Not set is not the same as empty.
  delete (moved as Partial<TensorProto>).rawData;
  return moved;
}

/** A tensor with its data, which is read now. */
export function inline(tensor: TensorProto, model: OnnxModel): TensorProto {
  const rawData = rawBytes(tensor, model) as Uint8Array<ArrayBuffer>;
  const moved = edit(tensor, { rawData, externalData: [] });
  delete (moved as Partial<TensorProto>).dataLocation;
  return moved;
}
