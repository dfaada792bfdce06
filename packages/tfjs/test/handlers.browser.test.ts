// Models with attention layers go through every place where a page keeps or gets models.
import { seededRandom } from '@mhe/core';
import { multiHeadAttention, multiHeadEmbeddingAttention, registerLayers } from '@mhe/tfjs';
import { io, type Tensor, tensor3d } from '@tensorflow/tfjs-core';
import { input, type LayersModel, loadLayersModel, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, it } from 'vitest';
import { useBackend } from './backends.js';

beforeAll(async () => {
  await useBackend('cpu');
  registerLayers();
});

function built(): LayersModel {
  const tokens = input({ shape: [4, 6] });
  const first = multiHeadEmbeddingAttention({ numHeads: 3, headDim: 2, groups: { queryKey: 1, value: 'heads' } });
  const hidden = first.apply(tokens) as SymbolicTensor;
  return model({
    inputs: tokens,
    outputs: multiHeadAttention({ numHeads: 2, keyDim: 3 }).apply(hidden) as SymbolicTensor,
  });
}

const random = seededRandom(0);
const data = Array.from({ length: 48 }, () => random.normal());
const outputOf = (given: LayersModel) => [...(given.predict(tensor3d(data, [2, 4, 6])) as Tensor).dataSync()];

it.each(['indexeddb://attention', 'localstorage://attention'])('saves to %s and loads from there', async (place) => {
  const original = built();
  await original.save(place);
  expect(outputOf(await loadLayersModel(place))).toEqual(outputOf(original));
  await io.removeModel(place);
});

it('downloads, and loads what a user picks', async () => {
  const original = built();
  const downloads: { readonly name: string; readonly content: Promise<Blob> }[] = [];
  // What the browser would put into the user's folder.
  const { dispatchEvent } = HTMLElement.prototype;
  HTMLElement.prototype.dispatchEvent = new Proxy(dispatchEvent, {
    apply(dispatch, element: HTMLElement, args: [Event]) {
      if (!(element instanceof HTMLAnchorElement) || !element.download) return Reflect.apply(dispatch, element, args);
      downloads.push({ name: element.download, content: fetch(element.href).then((response) => response.blob()) });
      return true;
    },
  });
  await original.save('downloads://attention').finally(() => {
    HTMLElement.prototype.dispatchEvent = dispatchEvent;
  });
  const files = await Promise.all(downloads.map(async ({ name, content }) => new File([await content], name)));
  expect(files.map(({ name }) => name).sort()).toEqual(['attention.json', 'attention.weights.bin']);
  const ordered = files.sort((a, b) => Number(b.name.endsWith('.json')) - Number(a.name.endsWith('.json')));
  expect(outputOf(await loadLayersModel(io.browserFiles(ordered)))).toEqual(outputOf(original));
});
