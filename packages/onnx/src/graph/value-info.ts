import { create } from '@bufbuild/protobuf';
import {
  type TensorProto_DataType,
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { edit } from './edit.js';

/**
 * The declaration of a tensor.
 *
 * @param dims - its dimensions. Default: none are told.
 */
export function valueInfo(name: string, elemType: TensorProto_DataType, dims?: readonly bigint[]): ValueInfoProto {
  const dim = dims?.map((dimValue) =>
    create(TensorShapeProto_DimensionSchema, { value: { case: 'dimValue', value: dimValue } }),
  );
  const shape = dim && create(TensorShapeProtoSchema, { dim });
  const tensor = create(TypeProto_TensorSchema, { elemType, ...(shape && { shape }) });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } }),
  });
}

/** A declaration with another size of one axis; the same one where it tells no sizes. */
export function withDim(
  info: ValueInfoProto,
  axis: number,
  value: TensorShapeProto_Dimension['value'],
): ValueInfoProto {
  const tensor = info.type?.value;
  if (!info.type || tensor?.case !== 'tensorType' || !tensor.value.shape) return info;
  const dim = tensor.value.shape.dim.map((each, at) => (at === axis ? edit(each, { value }) : each));
  const shape = edit(tensor.value.shape, { dim });
  return edit(info, { type: edit(info.type, { value: { case: 'tensorType', value: edit(tensor.value, { shape }) } }) });
}
