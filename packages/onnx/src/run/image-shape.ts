import type { NodeProto } from 'onnx-buf';
import type { GraphIndex } from '../graph/graph-index.js';
import { arrivals } from './arrivals.js';

/** Channels of an image, and its height and width. */
export interface ImageShape {
  readonly channels: number;
  readonly size: number;
}

/** What most vision models are trained on. */
const USUAL: ImageShape = { channels: 3, size: 224 };

/**
 * The shape of the images that a graph is made for, as far as it tells: channels by the convolution that reads them;
 * height and width by its position embeddings, where each patch has one.
 *
 * @param index - index of the graph.
 * @param value - the input that takes images.
 */
export function imageShape(index: GraphIndex, value: string): ImageShape {
  const convolution = arrivals(index, value).find(({ node, input }) => node.opType === 'Conv' && input === 0)?.node;
  const weight = convolution && index.constant(convolution.input[1] ?? '');
  if (convolution === undefined || weight === undefined) return USUAL;
  const [, channels = 3, ...kernel] = weight.dims.map(Number);
  const group = Number(convolution.attribute.find(({ name }) => name === 'group')?.i ?? 1n);
  const strides = convolution.attribute.find(({ name }) => name === 'strides')?.ints.map(Number) ?? [];
  const [patch = 1] = kernel;
  const arePatches = patch > 1 && [...kernel, ...strides].every((size) => size === patch) && strides.length === 2;
  const side = arePatches ? patchesAlongSide(index, convolution) : null;
  return { channels: channels * group, size: side === null ? USUAL.size : side * patch };
}

/** By the table of position embeddings that is added to the patches, with up to two further tokens before them. */
function patchesAlongSide(index: GraphIndex, convolution: NodeProto): number | null {
  for (const { node, input } of arrivals(index, convolution.output[0] ?? '', ['Concat'])) {
    if (node.opType !== 'Add') continue;
    const rows = Number(index.constant(node.input[1 - input] ?? '')?.dims.at(-2) ?? 0n);
    const side = [rows, rows - 1, rows - 2].map(Math.sqrt).find((root) => root > 1 && Number.isInteger(root));
    if (side !== undefined) return side;
  }
  return null;
}
