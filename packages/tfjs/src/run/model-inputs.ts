import type { TfjsModel } from '../file/model.js';
import { quoted } from '../file/tfjs-file-error.js';
import { shapeDims, typeAttribute } from '../graph-model/attributes.js';
import { graphOf, signatureEntries } from '../graph-model/graph-model.js';
import type { NodeDef } from '../graph-model/node-def.js';
import { nodeOfValue } from '../graph-model/node-def.js';

/** An input that a caller feeds. */
export interface ModelInput {
  /** What the model's signature calls it, or its node's name. */
  readonly name: string;
  /** Name of its node, under which it may be fed too. */
  readonly node: string;
  readonly dtype: 'float32' | 'int32' | 'bool' | 'string';
  /** Open sizes are `null`; `null` altogether where not even the number of axes is known. */
  readonly dims: readonly (number | null)[] | null;
}

/**
 * The inputs that a graph has to be fed.
 *
 * @throws Error where one is of a type that TensorFlow.js has no tensors of.
 */
export function modelInputs(model: TfjsModel): ModelInput[] {
  const keys = new Map(signatureEntries(model, 'inputs').map(({ key, value }) => [nodeOfValue(value), key]));
  return graphOf(model)
    .node.filter(({ op }) => op === 'Placeholder')
    .map((node) => {
      const dims = shapeDims(node.attr?.shape?.shape);
      return {
        name: keys.get(node.name) ?? node.name,
        node: node.name,
        dtype: dtypeOf(node, model.name),
        dims: dims?.map((dim) => (dim < 0 ? null : dim)) ?? null,
      };
    });
}

/** TensorFlow.js holds all whole numbers in 32 bits, and all others in float32. */
function dtypeOf(node: NodeDef, model: string): ModelInput['dtype'] {
  const type = typeAttribute(node, 'dtype') ?? '';
  if (/FLOAT|DOUBLE|HALF/.test(type)) return 'float32';
  if (/INT/.test(type)) return 'int32';
  if (type === 'DT_BOOL') return 'bool';
  if (type === 'DT_STRING') return 'string';
  throw new Error(
    `The input ${quoted(node.name)} of ${model} is of ${type || 'no known type'}, which cannot be fed here.`,
  );
}
