// Reads a model's files as the loaders of TensorFlow.js do, without the product's code.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { io } from '@tensorflow/tfjs-core';

/** The files of a model as a handler for `tf.loadGraphModel`: the shards of all groups, one after the other. */
export function plainFiles(path: string): Required<Pick<io.IOHandler, 'load'>> {
  return {
    load: async () => {
      const json = JSON.parse(readFileSync(path, 'utf8')) as io.ModelJSON;
      return io.getModelArtifactsForJSON(json, async (manifest) => {
        const shards = manifest.flatMap((group) =>
          group.paths.map((shard) => readFileSync(join(dirname(path), shard))),
        );
        const bytes = new Uint8Array(Buffer.concat(shards));
        return [manifest.flatMap(({ weights }) => weights), bytes.buffer];
      });
    },
  };
}
