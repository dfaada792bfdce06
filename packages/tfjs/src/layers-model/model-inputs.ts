import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ModelInput } from '../run/model-inputs.js';
import type { InputUse } from '../run/synthetic-values.js';
import type { LayerCall } from './layer-calls.js';
import { listCalls } from './layer-calls.js';

/** The inputs that a model of layers is fed. */
export function layersInputs(model: LayersModel): ModelInput[] {
  return model.inputs.map(({ sourceLayer: { name }, dtype, shape }) => {
    if (dtype === 'complex64') throw new Error(`The input "${name}" is of complex numbers, which cannot be fed here.`);
    return { name, node: name, dtype, dims: [...shape] };
  });
}

/** What a model of layers does with its inputs: an Embedding layer is a table. */
export function layersInputUse(model: LayersModel): (input: ModelInput) => InputUse {
  const { calls, top } = listCalls(model);
  const tables = calls.filter(({ layer }) => layer.getClassName() === 'Embedding');
  const readsFrom = ({ level, inputs }: LayerCall, id: string) => level.ids.get(inputs[0] as SymbolicTensor) === id;
  return ({ node }) => {
    const input = model.inputs.find(({ sourceLayer }) => sourceLayer.name === node) as SymbolicTensor;
    const id = top.ids.get(input) as string;
    const rows = tables.filter((call) => readsFrom(call, id)).map(({ layer }) => Number(layer.getConfig().inputDim));
    return { below: rows.length > 0 ? Math.min(...rows) : null, isCoordinates: false };
  };
}
