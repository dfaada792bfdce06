import type { ShapeRule } from '@mhe/core';
import { intAttribute, intsAttribute, stringAttribute } from '../graph-model/attributes.js';
import type { NodeDef } from '../graph-model/node-def.js';

type Dims = readonly number[];

/** Sizes of operators that the finder need not understand, only pass. By operator name. */
export const shapeRules: Readonly<Record<string, (node: NodeDef) => ShapeRule>> = {
  ...rules(
    ['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3', 'Reverse', 'ReverseV2', 'TensorScatterUpdate'],
    () =>
      ([data]) => [data],
  ),
  ...rules(['Conv2D', '_FusedConv2D'], convolution),
  ...rules(['DepthwiseConv2d', 'DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative'], depthwise),
  ...rules(['AvgPool', 'MaxPool'], (node) => ([x]) => [x && slide(node, x, intsAttribute(node, 'ksize'), x.at(-1))]),
  ...rules(['ArgMax', 'ArgMin'], () => ([data], numbers) => {
    const axis = numbers(1)?.[0];
    return [data && axis !== undefined ? data.filter((_, a) => a !== (axis + data.length) % data.length) : undefined];
  }),
  ...rules(['Pad', 'PadV2', 'MirrorPad'], () => ([data], numbers) => {
    const pads = numbers(1);
    return [data && pads && data.map((dim, axis) => dim + (pads[2 * axis] ?? 0) + (pads[2 * axis + 1] ?? 0))];
  }),
  ...rules(['ResizeBilinear', 'ResizeNearestNeighbor'], () => ([data], numbers) => {
    const size = numbers(1);
    return [data?.length === 4 && size ? [data[0] as number, ...size, data[3] as number] : undefined];
  }),
  OneHot:
    (node) =>
    ([indices], numbers) => {
      const depth = numbers(1)?.[0];
      if (!indices || depth === undefined) return [undefined];
      const axis = intAttribute(node, 'axis', -1);
      const at = axis < 0 ? axis + indices.length + 1 : axis;
      return [[...indices.slice(0, at), depth, ...indices.slice(at)]];
    },
  GatherNd:
    () =>
    ([data, indices]) => {
      const depth = indices?.at(-1);
      return [data && indices && depth !== undefined ? [...indices.slice(0, -1), ...data.slice(depth)] : undefined];
    },
  GatherV2:
    (node) =>
    ([data, indices], numbers) => {
      const batch = intAttribute(node, 'batch_dims', 0);
      const axis = numbers(2)?.[0];
      if (!data || !indices || axis === undefined) return [undefined];
      const at = axis < 0 ? axis + data.length : axis;
      return [[...data.slice(0, at), ...indices.slice(batch), ...data.slice(at + 1)]];
    },
  MatrixBandPart:
    () =>
    ([data]) => [data],
  TopKV2:
    () =>
    ([data], numbers) => {
      const k = numbers(1)?.[0];
      const out = data && k !== undefined ? [...data.slice(0, -1), k] : undefined;
      return [out, out];
    },
  DepthToSpace:
    (node) =>
    ([data]) => {
      const block = intAttribute(node, 'block_size', 1);
      const [n, h, w, c] = (data ?? []) as [number, number, number, number];
      return [data?.length === 4 ? [n, h * block, w * block, c / block ** 2] : undefined];
    },
  ...rules(['RandomUniform', 'RandomStandardNormal', 'TruncatedNormal'], () => (_, numbers) => [numbers(0)]),
  // What follows depends on the numbers of an input. A call where everything is kept stands for all.
  Where:
    () =>
    ([condition]) => [condition && [condition.reduce((count, dim) => count * dim, 1), condition.length]],
  ScatterNd:
    () =>
    ([indices, , shape], numbers) => [numbers(2) ?? filled(indices?.[0], shape?.[0])],
  SparseToDense:
    () =>
    ([indices, shape], numbers) => [numbers(1) ?? filled(indices?.[0], shape?.[0])],
};

/** As many axes, each with room for all entries, no two alike. */
function filled(entries: number | undefined, rank: number | undefined): Dims | undefined {
  if (entries === undefined || rank === undefined) return undefined;
  return Array.from({ length: rank }, (_, axis) => entries + 5 * axis);
}

function rules(
  names: readonly string[],
  rule: (node: NodeDef) => ShapeRule,
): Record<string, (node: NodeDef) => ShapeRule> {
  return Object.fromEntries(names.map((name) => [name, rule]));
}

function convolution(node: NodeDef): ShapeRule {
  return ([x, weight]) => [x && weight && slide(node, x, weight.slice(0, 2), weight.at(-1), 1)];
}

function depthwise(node: NodeDef): ShapeRule {
  return ([x, weight]) => {
    const channels = weight && (weight.at(-2) as number) * (weight.at(-1) as number);
    return [x && weight && slide(node, x, weight.slice(0, 2), channels, 1)];
  };
}

/**
 * Sizes of `[batch, height, width, channels]` after sliding a kernel; `undefined` where it does not fit.
 *
 * @param kernel - of height and width, or of all four axes.
 */
function slide(
  node: NodeDef,
  x: Dims,
  kernel: Dims | undefined,
  channels: number | undefined,
  defaultStride?: number,
): Dims | undefined {
  if (x.length !== 4 || !kernel || channels === undefined) return undefined;
  if (stringAttribute(node, 'data_format', 'NHWC') !== 'NHWC') return undefined;
  const size = kernel.length === 4 ? kernel.slice(1, 3) : kernel;
  const strides = intsAttribute(node, 'strides')?.slice(1, 3);
  const dilations = intsAttribute(node, 'dilations')?.slice(1, 3);
  const pads = intsAttribute(node, 'explicit_paddings') ?? [];
  const padding = stringAttribute(node, 'padding', 'VALID');
  const space = x.slice(1, 3).map((dim, axis) => {
    const stride = strides?.[axis] ?? defaultStride ?? 1;
    if (padding === 'SAME') return Math.ceil(dim / stride);
    const reach = (dilations?.[axis] ?? 1) * ((size[axis] ?? 1) - 1) + 1;
    const padded = dim + (padding === 'EXPLICIT' ? (pads[2 * axis + 2] ?? 0) + (pads[2 * axis + 3] ?? 0) : 0);
    return Math.floor((padded - reach) / stride) + 1;
  });
  return space.every((dim) => dim > 0) ? [x[0] as number, ...space, channels] : undefined;
}
