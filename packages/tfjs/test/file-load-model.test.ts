// Models loaded through handlers of TensorFlow.js, as in a page.
import { loadModel, TfjsFileError } from '@mhe/tfjs';
import { io } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import './backends.js';

const node = { name: 'x', op: 'Placeholder', attr: {} };
const specs: io.WeightsManifestEntry[] = [
  { name: 'a', shape: [2], dtype: 'float32' },
  { name: 'b', shape: [3], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
];
const bytes = Uint8Array.from({ length: 11 }, (_, i) => i);
const artifacts = (weightData: io.WeightData): io.ModelArtifacts => ({
  modelTopology: { node: [node] },
  signature: { inputs: {} },
  weightSpecs: specs,
  weightData,
});

describe('loadModel', () => {
  it('keeps bytes as they are stored, wherever the buffers are cut, and everything else', async () => {
    for (const cuts of [[11], [8, 3], [5, 6], [1, 1, 9]]) {
      let at = 0;
      const buffers = cuts.map((length) => {
        at += length;
        return bytes.slice(at - length, at).buffer as ArrayBuffer;
      });
      const model = await loadModel(io.fromMemory(artifacts(buffers)));
      expect(model.format).toBe('graph-model');
      expect(model.fields).toEqual({ modelTopology: { node: [node] }, signature: { inputs: {} } });
      expect(model.weights.map(({ spec }) => spec)).toEqual(specs);
      expect(model.weights.map(({ bytes }) => [...bytes])).toEqual([[...bytes.slice(0, 8)], [...bytes.slice(8)]]);
      const again = await loadModel(model);
      expect(again.artifacts()).toEqual(model.artifacts());
    }
  });

  it('refuses weights that do not fit the list, and what is no model', async () => {
    const short = loadModel(io.fromMemory(artifacts(bytes.slice(1).buffer as ArrayBuffer)));
    await expect(short).rejects.toThrow(TfjsFileError);
    await expect(short).rejects.toThrow('its weights are 10 bytes, but those it lists take 11');
    // Texts say their own length, so that only the cut tells that nothing is left.
    const text = Uint8Array.from([8, 0, 0, 0, ...Buffer.from('too long')]);
    const taken = loadModel(
      io.fromMemory({
        ...artifacts(text.buffer as ArrayBuffer),
        weightSpecs: [{ name: 's', shape: [1], dtype: 'string' }, specs[0] as io.WeightsManifestEntry],
      }),
    );
    await expect(taken).rejects.toThrow(/its weights end after 12 bytes, before those it lists\. Download/);
    await expect(loadModel(io.fromMemory({ modelTopology: {} }))).rejects.toThrow('its topology has neither');
    await expect(loadModel({ save: async () => ({}) as io.SaveResult })).rejects.toThrow('cannot load them');
  });
});
