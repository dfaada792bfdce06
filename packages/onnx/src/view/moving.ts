import type { ViewNode } from '@mhe/core';
import { intAttribute, intsAttribute } from './attributes.js';
import type { Family, Translation } from './translation.js';
import { constantNode, inner, same, withList } from './translation.js';

/** Operators that move elements. */
export const moving: Family = {
  Identity: (t) => same(t, { kind: 'identity' }),
  Dropout: (t) => {
    const { node, source } = t;
    // Its training_mode input is a constant false in every inference graph; anything else is not followed.
    if (node.input[2] && !t.constantDims(node.input[2])) return undefined;
    return [{ operator: { kind: 'identity' }, inputs: [node.input[0] ?? ''], outputs: [node.output[0] ?? ''], source }];
  },
  Reshape: (t) => same(t, { kind: 'reshape', zeroIsSize: intAttribute(t.node, 'allowzero', 0) === 1 }),
  Flatten: (t) => same(t, { kind: 'flatten', axis: intAttribute(t.node, 'axis', 1) }),
  Transpose: (t) => same(t, { kind: 'transpose', permutation: intsAttribute(t.node, 'perm') ?? null }),
  Squeeze: (t) => withList(t, { kind: 'squeeze' }, intsAttribute(t.node, 'axes')),
  Unsqueeze: (t) => withList(t, { kind: 'unsqueeze' }, intsAttribute(t.node, 'axes')),
  Expand: (t) => same(t, { kind: 'expand' }),
  Tile: (t) => same(t, { kind: 'tile' }),
  Slice: sliced,
  Split: (t) => withList(t, { kind: 'split', axis: intAttribute(t.node, 'axis', 0) }, intsAttribute(t.node, 'split')),
  Gather: (t) => same(t, { kind: 'gather', axis: intAttribute(t.node, 'axis', 0) }),
  GatherND: pickedFirst,
  Concat: (t) => same(t, { kind: 'concat', axis: intAttribute(t.node, 'axis', 0) }),
};

/** Places of the first axis alone, as the current PyTorch exporter writes an index. */
function pickedFirst(t: Translation): readonly ViewNode[] | undefined {
  const { node, source } = t;
  const [data = '', indices = ''] = node.input;
  if (t.constantDims(indices)?.at(-1) !== 1 || intAttribute(node, 'batch_dims', 0) !== 0) return undefined;
  const [axes, places] = [inner(t, 'axes'), inner(t, 'places')];
  return [
    constantNode(t, axes, [-1], [1]),
    { operator: { kind: 'squeeze' }, inputs: [indices, axes], outputs: [places], source },
    ...same(t, { kind: 'gather', axis: 0 }, [data, places]),
  ];
}

/** Before opset 10 the ranges are attributes. */
function sliced(t: Translation): readonly ViewNode[] {
  const starts = intsAttribute(t.node, 'starts');
  const ends = intsAttribute(t.node, 'ends');
  if (!starts || !ends) return same(t, { kind: 'slice' });
  const axes = intsAttribute(t.node, 'axes') ?? starts.map((_, axis) => axis);
  const lists = { starts, ends, axes };
  const ids = Object.keys(lists).map((part) => inner(t, part));
  return [
    ...Object.values(lists).map((list, i) => constantNode(t, ids[i] as string, list, [list.length])),
    ...same(t, { kind: 'slice' }, [t.node.input[0] ?? '', ...ids]),
  ];
}
