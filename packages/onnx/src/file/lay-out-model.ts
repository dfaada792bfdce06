import { ModelProtoSchema } from 'onnx-buf';
import type { OnnxModel } from '../graph/model.js';
import { externalRange, isExternal, isLeftInFile } from '../tensor/external-range.js';
import { type EncodedMessage, encodeMessage } from './encode-message.js';
import { forEachTensor } from './map-tensors.js';
import { OnnxFileError } from './onnx-file-error.js';
import { MAX_MESSAGE_BYTES } from './parse-model.js';
import { type ExternalDataPlan, type ExternalDataPolicy, planExternalData } from './plan-external-data.js';

/** A model's two files, ready to be written. */
export interface ModelLayout {
  readonly message: EncodedMessage;
  /** The data file: what goes where; none where `byteLength` is 0. */
  readonly data: Pick<ExternalDataPlan, 'ranges' | 'byteLength'>;
}

/**
 * Lays a model out as a message and a data file.
 *
 * @param model - the model.
 * @param location - name of the data file.
 * @param policy - which tensors go there.
 * @param maxMessageBytes - size from which `auto` puts all tensors there. Default: what protobuf allows.
 * @throws OnnxFileError where the message is too large even so.
 */
export function layOutModel(
  model: OnnxModel,
  location: string,
  policy: ExternalDataPolicy,
  maxMessageBytes = MAX_MESSAGE_BYTES,
): ModelLayout {
  const remedy = policy === 'never' ? 'Write it with external data' : 'Save its weights as raw data';
  // Looked at first: to find out by encoding could take more memory than there is.
  const inMessage = tensorBytes(model, policy);
  if (inMessage <= maxMessageBytes) {
    const { proto, ...data } = planExternalData(model, location, policy);
    const message = encodeMessage(ModelProtoSchema, proto, (tensor) =>
      isLeftInFile(tensor) ? externalRange(tensor, model) : undefined,
    );
    if (message.byteLength <= maxMessageBytes) return { message, data };
  }
  if (policy === 'auto') return layOutModel(model, location, 'always', maxMessageBytes);
  throw new OnnxFileError(
    model.name,
    'too-large',
    `its message would pass the ${(maxMessageBytes / 1e9).toFixed(1)} GB that protobuf allows`,
    remedy,
  );
}

/** Bytes of tensors that a policy leaves in the message, counted to the point where it matters. */
function tensorBytes(model: OnnxModel, policy: ExternalDataPolicy): number {
  if (policy === 'always') return 0;
  let sum = 0;
  forEachTensor(model.proto, (tensor) => {
    if (!isExternal(tensor)) sum += tensor.rawData.byteLength;
    else if (policy === 'never' || isLeftInFile(tensor)) sum += externalRange(tensor, model).length;
  });
  return sum;
}
