import type { ViewNode } from '@mhe/core';
import { intAttribute, intsAttribute } from '../graph-model/attributes.js';
import { slice, stridedSlice } from './slices.js';
import type { Family, Translation, Translator } from './translation.js';
import { constantNode, each, inner, oneNumber, outputNames, same, step } from './translation.js';

const passing = ['Identity', 'StopGradient', 'PreventGradient', 'Snapshot', 'CheckNumerics', 'EnsureShape'];

/** Operators that move elements. */
export const moving: Family = {
  ...each(passing, () => (t) => same(t, { kind: 'identity' }, t.inputs.slice(0, 1))),
  IdentityN: (t) =>
    outputNames(t, t.inputs.length).map((output, i) => step(t, { kind: 'identity' }, [t.inputs[i] ?? ''], output)),
  Reshape: (t) => same(t, { kind: 'reshape', zeroIsSize: true }),
  Transpose: (t) => {
    const permutation = t.constant(t.inputs[1] ?? '');
    return permutation && same(t, { kind: 'transpose', permutation }, t.inputs.slice(0, 1));
  },
  Squeeze: squeeze,
  ExpandDims: (t) => same(t, { kind: 'unsqueeze' }),
  BroadcastTo: (t) => same(t, { kind: 'expand' }),
  Tile: (t) => same(t, { kind: 'tile' }),
  Fill: (t) => same(t, { kind: 'expand' }, [t.inputs[1] ?? '', t.inputs[0] ?? '']),
  Slice: slice,
  StridedSlice: stridedSlice,
  Split: (t) => {
    const axis = oneNumber(t, 0);
    const outputs = outputNames(t, intAttribute(t.node, 'num_split', 1));
    return axis === undefined
      ? undefined
      : [{ operator: { kind: 'split', axis }, inputs: [t.inputs[1] ?? ''], outputs, source: t.node.name }];
  },
  SplitV: (t) => {
    const axis = oneNumber(t, 2);
    const sizes = t.constantDims(t.inputs[1] ?? '')?.[0];
    const outputs = outputNames(t, intAttribute(t.node, 'num_split', sizes ?? 1));
    return axis === undefined
      ? undefined
      : [{ operator: { kind: 'split', axis }, inputs: t.inputs.slice(0, 2), outputs, source: t.node.name }];
  },
  Unpack: unpack,
  Gather: (t) => same(t, { kind: 'gather', axis: 0 }, t.inputs.slice(0, 2)),
  GatherV2: (t) => {
    const axis = oneNumber(t, 2);
    if (axis === undefined || intAttribute(t.node, 'batch_dims', 0) !== 0) return undefined;
    return same(t, { kind: 'gather', axis }, t.inputs.slice(0, 2));
  },
  Concat: joined((inputs) => [inputs[0], inputs.slice(1)]),
  ConcatV2: joined((inputs) => [inputs.at(-1), inputs.slice(0, -1)]),
  Pack: pack,
};

/** Without a list, all axes of size 1. */
function squeeze(t: Translation): readonly ViewNode[] {
  const list = intsAttribute(t.node, 'squeeze_dims') ?? intsAttribute(t.node, 'axis') ?? [];
  if (list.length === 0) return same(t, { kind: 'squeeze' });
  const axes = inner(t, 'axes');
  return [constantNode(t, axes, list), ...same(t, { kind: 'squeeze' }, [t.inputs[0] ?? '', axes])];
}

function joined(apart: (inputs: readonly string[]) => [string | undefined, readonly string[]]): Translator {
  return (t) => {
    const [last, parts] = apart(t.inputs);
    const axis = t.constant(last ?? '')?.[0];
    return axis === undefined ? undefined : same(t, { kind: 'concat', axis }, parts);
  };
}

/** Each part gets the axis, then they are joined along it. */
function pack(t: Translation): readonly ViewNode[] {
  const axis = intAttribute(t.node, 'axis', 0);
  const axes = inner(t, 'axes');
  const parts = t.inputs.map((input, i) => step(t, { kind: 'unsqueeze' }, [input, axes], inner(t, `part ${i}`)));
  return [
    constantNode(t, axes, [axis]),
    ...parts,
    ...same(
      t,
      { kind: 'concat', axis },
      parts.map(({ outputs }) => outputs[0] as string),
    ),
  ];
}

/** Each part is picked by its number. */
function unpack(t: Translation): readonly ViewNode[] {
  const axis = intAttribute(t.node, 'axis', 0);
  return outputNames(t, intAttribute(t.node, 'num', 1)).flatMap((output, i) => {
    const number = inner(t, `number ${i}`);
    return [constantNode(t, number, [i], []), step(t, { kind: 'gather', axis }, [t.inputs[0] ?? '', number], output)];
  });
}
