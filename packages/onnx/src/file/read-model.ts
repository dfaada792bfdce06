import type { ModelProto, TensorProto } from 'onnx-buf';
import type { ByteSource, OnnxModel } from '../graph/model.js';
import { externalLocation, externalRange, isExternal } from '../tensor/external-range.js';
import { tensorError } from '../tensor/tensor-error.js';
import { bytesSource } from './byte-source.js';
import { normaliseLocation } from './external-location.js';
import { findExternalFile } from './find-external-file.js';
import { leaveInFile } from './leave-in-file.js';
import { forEachTensor } from './map-tensors.js';
import { nodeModules } from './node-modules.js';
import { OnnxFileError, quoted } from './onnx-file-error.js';
import { HEAD_LENGTH, otherFormat } from './other-formats.js';
import { parseModel } from './parse-model.js';
import { readModelFile } from './read-model-file.js';

/** How to read a model from a file. */
export interface ReadFileOptions {
  readonly signal?: AbortSignal;
}

/** How to read a model from memory. */
export interface ReadBytesOptions {
  /** What an error message calls the model, and its file when it is written. Default `model.onnx`. */
  readonly name?: string;
  /** The files that hold its external data, by the `location` that its tensors name. */
  readonly externalData?: Readonly<Record<string, Uint8Array>>;
}

/**
 * Reads an ONNX model, from a path (in Node) or from bytes (anywhere).
 *
 * The message is parsed with every field kept, also those that this version of ONNX does not know. Large tensors of a
 * file stay in it and are read when asked for; it must not change while the model is in use. External data is not loaded
 * either: it is checked (inside the model's folder, there, as long as its tensors need) and read in pieces. Given bytes
 * belong to the model from here on.
 *
 * @param file - path of the `.onnx` file, or its content.
 * @throws OnnxFileError, one line naming the file, what is wrong and what to do, where the file is missing, no model,
 *   damaged or a model of an unknown domain, or where its external data is missing, too short or outside the folder.
 */
export async function readModel(file: string, options?: ReadFileOptions): Promise<OnnxModel>;
export async function readModel(file: Uint8Array, options?: ReadBytesOptions): Promise<OnnxModel>;
export async function readModel(
  file: string | Uint8Array,
  options: ReadFileOptions & ReadBytesOptions = {},
): Promise<OnnxModel> {
  if (typeof file === 'string') {
    const node = nodeModules(file);
    const { bytes, source } = await readModelFile(node, file, options.signal);
    const model = openModel(parseModel(bytes, file), file, (location, tensor) =>
      findExternalFile(node, file, location, tensor),
    );
    return { ...model, proto: leaveInFile(model.proto, bytes, file), message: source };
  }
  const name = options.name ?? 'model.onnx';
  const given = givenSources(options.externalData ?? {}, name);
  return openModel(parseModel(plainView(file), name), name, (location) => given.get(location));
}

function givenSources(externalData: Readonly<Record<string, Uint8Array>>, name: string): Map<string, ByteSource> {
  const sources = new Map<string, ByteSource>();
  for (const [key, bytes] of Object.entries(externalData)) {
    const location = normaliseLocation(key);
    if (location === null) {
      const what = `externalData has ${quoted(key)}, which no tensor may name`;
      throw new OnnxFileError(name, 'external-data', what, "Use the tensors' own relative locations");
    }
    sources.set(location, bytesSource(plainView(bytes), location));
  }
  return sources;
}

/** The same bytes as nothing more than a Uint8Array: slicing Node's Buffer, as files are often given, shares memory. */
function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

type FindSource = (location: string, tensor: TensorProto) => ByteSource | undefined;

function openModel(proto: ModelProto, name: string, findSource: FindSource): OnnxModel {
  const externalData = new Map<string, ByteSource>();
  const model: OnnxModel = { proto, externalData, name };
  forEachTensor(proto, (tensor) => {
    if (!isExternal(tensor)) return;
    const location = externalLocation(tensor, model);
    const source = externalData.get(location) ?? findSource(location, tensor);
    if (source !== undefined) externalData.set(location, source);
    try {
      externalRange(tensor, model);
    } catch (cause) {
      // Only where its length is wrong: weights may begin like anything.
      const other = source && otherFormat(source.read(0, Math.min(source.byteLength, HEAD_LENGTH)));
      if (!other) throw cause;
      const what = `has its data in ${quoted(location)}, which ${other.what}`;
      throw tensorError(model, tensor, what, other.remedy, 'external-data');
    }
  });
  return model;
}
