import { GraphModel } from '@tensorflow/tfjs-converter';
import { io } from '@tensorflow/tfjs-core';
import { LayersModel } from '@tensorflow/tfjs-layers';
import { loadModel } from './load-model.js';
import { TfjsModel } from './model.js';

/** A model as files hold it, or one that TensorFlow.js has loaded or built. */
export type AnyModel = TfjsModel | LayersModel | GraphModel;

/**
 * A model as files hold it: the model itself, or a copy of a loaded one, which stays as it is.
 *
 * @throws TypeError where it is neither; Error where TensorFlow.js cannot save it.
 */
export async function toTfjsModel(model: AnyModel): Promise<TfjsModel> {
  if (model instanceof TfjsModel) return model;
  if (!(model instanceof LayersModel) && !(model instanceof GraphModel)) {
    throw new TypeError(
      'expected a model of readModel or loadModel, a tf.LayersModel or a tf.GraphModel, of the same copies of ' +
        'tfjs-layers and tfjs-converter that this package uses',
    );
  }
  const saved = await savedArtifacts(model);
  if (saved.weightData === undefined) {
    throw new Error('the model was loaded with streamWeights, which keeps no weights to save: load it without');
  }
  // What a live model says of itself may change with it.
  const modelTopology = JSON.parse(JSON.stringify(saved.modelTopology)) as object;
  return loadModel(io.fromMemory({ ...saved, modelTopology }));
}

async function savedArtifacts(model: LayersModel | GraphModel): Promise<io.ModelArtifacts> {
  const kept: io.ModelArtifacts[] = [];
  await model.save(
    io.withSaveHandler(async (artifacts) => {
      kept.push(artifacts);
      return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON({ ...artifacts, weightData: new ArrayBuffer(0) }) };
    }),
  );
  return kept[0] as io.ModelArtifacts;
}
