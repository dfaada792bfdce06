import { create } from '@bufbuild/protobuf';
import {
  type TensorProto_DataType,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';

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
