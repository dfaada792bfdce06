import { create } from '@bufbuild/protobuf';
import { type NodeProto, type TensorProto, TensorProto_DataType, TensorProtoSchema } from 'onnx-buf';

/**
 * The tensor that a `Constant` node of the ONNX domain holds, whichever attribute it is in (`value`,
 * `value_float`, `value_ints`, ...: ONNX operators, Constant). `undefined` for any other node, and for a sparse
 * value.
 */
export function constantNodeTensor(node: NodeProto): TensorProto | undefined {
  if (node.opType !== 'Constant' || !isOnnxDomain(node.domain)) return undefined;
  const attribute = node.attribute[0];
  switch (attribute?.name) {
    case 'value':
      return attribute.t;
    case 'value_float':
      return create(TensorProtoSchema, { dataType: TensorProto_DataType.FLOAT, floatData: [attribute.f] });
    case 'value_floats':
      return create(TensorProtoSchema, {
        dataType: TensorProto_DataType.FLOAT,
        dims: [BigInt(attribute.floats.length)],
        floatData: attribute.floats,
      });
    case 'value_int':
      return create(TensorProtoSchema, { dataType: TensorProto_DataType.INT64, int64Data: [attribute.i] });
    case 'value_ints':
      return create(TensorProtoSchema, {
        dataType: TensorProto_DataType.INT64,
        dims: [BigInt(attribute.ints.length)],
        int64Data: attribute.ints,
      });
    case 'value_string':
      return create(TensorProtoSchema, { dataType: TensorProto_DataType.STRING, stringData: [attribute.s] });
    case 'value_strings':
      return create(TensorProtoSchema, {
        dataType: TensorProto_DataType.STRING,
        dims: [BigInt(attribute.strings.length)],
        stringData: attribute.strings,
      });
    default:
      return undefined;
  }
}

/** The default operator set goes by two names. */
export function isOnnxDomain(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}
