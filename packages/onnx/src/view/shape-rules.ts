import type { ShapeRule } from '@mhe/core';
import type { NodeProto } from 'onnx-buf';
import { intAttribute, intsAttribute, stringAttribute } from './attributes.js';

/** Sizes of operators that the finder need not understand, only pass. By operator name. */
export const shapeRules: Readonly<Record<string, (node: NodeProto) => ShapeRule>> = {
  ...sameAsInput([
    ...['BatchNormalization', 'LayerNormalization', 'InstanceNormalization', 'GroupNormalization', 'RMSNormalization'],
    ...['LpNormalization', 'MeanVarianceNormalization', 'SimplifiedLayerNormalization', 'LRN', 'Hardmax', 'CumSum'],
    ...['Trilu', 'EyeLike', 'ScatterND', 'ScatterElements', 'Scatter', 'Bernoulli', 'RandomNormalLike'],
    ...[
      'RandomUniformLike',
      'QuantizeLinear',
      'DequantizeLinear',
      'BitwiseNot',
      'FastGelu',
      'QuickGelu',
      'BiasGelu',
      'RotaryEmbedding',
    ],
  ]),
  GatherElements:
    () =>
    ([, indices]) => [indices],
  GatherND:
    (node) =>
    ([data, indices]) => {
      const batch = intAttribute(node, 'batch_dims', 0);
      const depth = indices?.at(-1);
      return [
        data && indices && depth !== undefined ? [...indices.slice(0, -1), ...data.slice(batch + depth)] : undefined,
      ];
    },
  MatMulNBits: quantisedProduct,
  MatMulBnb4: quantisedProduct,
  MatMulInteger: integerProduct,
  // How many there are is only known where the numbers are.
  NonZero:
    () =>
    ([data], numbers) => {
      const found = numbers(0)?.filter((number) => number !== 0).length;
      return [data && found !== undefined ? [data.length, found] : undefined];
    },
  OneHot:
    (node) =>
    ([indices], numbers) => {
      const depth = numbers(1)?.[0];
      if (!indices || depth === undefined) return [undefined];
      const axis = intAttribute(node, 'axis', -1);
      const at = axis < 0 ? axis + indices.length + 1 : axis;
      return [[...indices.slice(0, at), depth, ...indices.slice(at)]];
    },
  ArgMax: argument,
  ArgMin: argument,
  TopK:
    (node) =>
    ([data], numbers) => {
      const k = numbers(1)?.[0] ?? intAttribute(node, 'k', undefined);
      const axis = intAttribute(node, 'axis', -1);
      const out =
        data && k !== undefined
          ? data.map((dim, a) => (a === (axis + data.length) % data.length ? k : dim))
          : undefined;
      return [out, out];
    },
  Conv:
    (node) =>
    ([x, weight]) => {
      const space = x && weight && window(node, x.slice(2), weight.slice(2));
      return [x && weight && space ? [x[0] as number, weight[0] as number, ...space] : undefined];
    },
  MaxPool: pool,
  AveragePool: pool,
  LpPool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  Pad:
    (node) =>
    ([data], numbers) => {
      const pads = intsAttribute(node, 'pads') ?? numbers(1);
      if (!data || !pads || node.input[3]) return [undefined];
      return [data.map((dim, axis) => dim + (pads[axis] ?? 0) + (pads[axis + data.length] ?? 0))];
    },
  Resize:
    (node) =>
    ([data], numbers) => {
      const sizes = numbers(3);
      if (sizes?.length === data?.length) return [sizes];
      const scales = numbers(node.input.length === 2 ? 1 : 2);
      return [
        data && scales?.length === data.length
          ? data.map((dim, axis) => Math.floor(dim * (scales[axis] ?? 1)))
          : undefined,
      ];
    },
  DepthToSpace:
    (node) =>
    ([data]) => {
      const block = intAttribute(node, 'blocksize', 1);
      const [n, c, h, w] = data ?? [];
      return [
        data?.length === 4
          ? [n as number, (c as number) / block ** 2, (h as number) * block, (w as number) * block]
          : undefined,
      ];
    },
  SpaceToDepth:
    (node) =>
    ([data]) => {
      const block = intAttribute(node, 'blocksize', 1);
      const [n, c, h, w] = data ?? [];
      return [
        data?.length === 4
          ? [n as number, (c as number) * block ** 2, (h as number) / block, (w as number) / block]
          : undefined,
      ];
    },
};

function sameAsInput(names: readonly string[]): Record<string, (node: NodeProto) => ShapeRule> {
  return Object.fromEntries(
    names.map((name) => [
      name,
      () =>
        ([data]: Parameters<ShapeRule>[0]) => [data],
    ]),
  );
}

function argument(node: NodeProto): ShapeRule {
  return ([data]) => {
    if (!data) return [undefined];
    const axis = (intAttribute(node, 'axis', 0) + data.length) % data.length;
    if (intAttribute(node, 'keepdims', 1) === 1) return [data.map((dim, a) => (a === axis ? 1 : dim))];
    return [data.filter((_, a) => a !== axis)];
  };
}

function pool(node: NodeProto): ShapeRule {
  return ([x]) => {
    const kernel = intsAttribute(node, 'kernel_shape');
    const space = x && kernel && window(node, x.slice(2), kernel);
    return [x && space ? [...x.slice(0, 2), ...space] : undefined];
  };
}

function globalPool(): ShapeRule {
  return ([x]) => [x?.map((dim, axis) => (axis < 2 ? dim : 1))];
}

/** Sizes after sliding a kernel; `undefined` where it does not fit. */
function window(node: NodeProto, space: readonly number[], kernel: readonly number[]): number[] | undefined {
  const padding = stringAttribute(node, 'auto_pad', 'NOTSET');
  const strides = intsAttribute(node, 'strides');
  const dilations = intsAttribute(node, 'dilations');
  const pads = intsAttribute(node, 'pads');
  const ceil = intAttribute(node, 'ceil_mode', 0) === 1;
  const out = space.map((dim, axis) => {
    const stride = strides?.[axis] ?? 1;
    if (padding.startsWith('SAME')) return Math.ceil(dim / stride);
    const reach = (dilations?.[axis] ?? 1) * ((kernel[axis] ?? 1) - 1) + 1;
    const padded = dim + (padding === 'VALID' ? 0 : (pads?.[axis] ?? 0) + (pads?.[axis + space.length] ?? 0));
    return (ceil ? Math.ceil : Math.floor)((padded - reach) / stride) + 1;
  });
  return out.every((dim) => dim > 0) ? out : undefined;
}

/** `[..., K]` by weights that only their attributes tell the size of. */
function quantisedProduct(node: NodeProto): ShapeRule {
  const columns = intAttribute(node, 'N', undefined);
  return ([x]) => [x && columns !== undefined ? [...x.slice(0, -1), columns] : undefined];
}

function integerProduct(): ShapeRule {
  return ([x, weight]) => [x && weight?.length === 2 ? [...x.slice(0, -1), weight[1] as number] : undefined];
}
