import type { TensorShapeProto_Dimension } from 'onnx-buf';
import { quoted } from '../file/onnx-file-error.js';
import { graphIndex } from '../graph/graph-index.js';
import type { OnnxModel } from '../graph/model.js';
import { dtypeFromNumber } from '../tensor/dtype.js';
import { type HostDtype, isHostDtype } from './host-tensor.js';

/** A declared dimension: fixed, shared by all that bear a name, or open (`null`). */
export type DeclaredDim = number | string | null;

/** An input that a caller feeds. */
export interface ModelInput {
  readonly name: string;
  readonly dtype: HostDtype;
  /** `null` where the model does not even declare how many axes there are. */
  readonly dims: readonly DeclaredDim[] | null;
}

/**
 * The inputs that a model has to be fed, as it declares them; those that only declare an initialiser left out.
 *
 * @throws Error where an input is no tensor, or of an element type that cannot be fed from JavaScript.
 */
export function modelInputs(model: OnnxModel): ModelInput[] {
  if (model.proto.graph === undefined) throw new Error(`${model.name} holds no graph.`);
  return [...graphIndex(model.proto.graph).inputs.values()].map(({ name, type }) => {
    if (type?.value.case !== 'tensorType') {
      throw new Error(
        `Input ${quoted(name)} of ${model.name} is not declared as a tensor: such models cannot be fed here.`,
      );
    }
    const { elemType, shape } = type.value.value;
    const dtype = dtypeFromNumber(elemType);
    if (!isHostDtype(dtype)) {
      const found = dtype ?? `element type ${elemType}`;
      throw new Error(`Input ${quoted(name)} of ${model.name} is of ${found}, which JavaScript cannot feed.`);
    }
    return { name, dtype, dims: shape === undefined ? null : shape.dim.map(declaredDim) };
  });
}

function declaredDim({ value }: TensorShapeProto_Dimension): DeclaredDim {
  if (value.case === 'dimParam') return value.value === '' ? null : value.value;
  // Some exporters write -1 for an open dimension.
  return value.case === undefined || value.value < 0n ? null : Number(value.value);
}
