// What single operators are in the finder's view, against what ONNX Runtime makes of them.
import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type TensorProto,
} from 'onnx-buf';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../core/src/find/evaluate.js';
import { interpret, type Value } from '../../core/test/find-interpreter.js';
import { edit } from '../src/graph/edit.js';
import type { OnnxModel } from '../src/graph/model.js';
import type { OrtRuntime } from '../src/index.js';
import { type HostTensor, hostNumbers } from '../src/run/host-tensor.js';
import { withSession } from '../src/run/session.js';
import { graphView } from '../src/view/graph-view.js';
import { floats, graph, integers, model, value } from './graph-builder.js';

const runtime = ort as unknown as OrtRuntime;

type Attribute = number | string | readonly number[] | { readonly float: number };

/** One node on float inputs of these dimensions; lists and matrices beside them are constants. */
interface Case {
  readonly op: string;
  readonly inputs: readonly (readonly number[] | TensorProto | null)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly opset?: number;
  readonly outputs?: number;
}

function attributeOf(name: string, given: Attribute): AttributeProto {
  const { INT, INTS, FLOAT, STRING } = AttributeProto_AttributeType;
  if (typeof given === 'number') return create(AttributeProtoSchema, { name, type: INT, i: BigInt(given) });
  if (typeof given === 'string')
    return create(AttributeProtoSchema, { name, type: STRING, s: new TextEncoder().encode(given) });
  if ('float' in given) return create(AttributeProtoSchema, { name, type: FLOAT, f: given.float });
  return create(AttributeProtoSchema, { name, type: INTS, ints: given.map(BigInt) });
}

function modelOf({ op, inputs, attributes = {}, opset = 17, outputs = 1 }: Case): OnnxModel {
  const names = inputs.map((input, i) => (input === null ? '' : 'name' in input ? input.name : `x${i}`));
  const output = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const made = model(
    graph({
      node: [
        create(NodeProtoSchema, {
          name: 'node',
          opType: op,
          input: names,
          output,
          attribute: Object.entries(attributes).map(([name, given]) => attributeOf(name, given)),
        }),
      ],
      input: inputs.flatMap((input, i) => (input !== null && !('name' in input) ? [value(`x${i}`, 1, input)] : [])),
      output: output.map((name) => value(name)),
      initializer: inputs.flatMap((input) => (input !== null && 'name' in input ? [input] : [])),
    }),
  );
  return {
    ...made,
    proto: edit(made.proto, {
      opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(opset) })],
    }),
  };
}

function feedsOf({ inputs }: Case): Record<string, HostTensor> {
  return Object.fromEntries(
    inputs.flatMap((dims, i) => {
      if (dims === null || 'name' in dims) return [];
      const size = dims.reduce((product, dim) => product * dim, 1);
      const data = Float32Array.from({ length: size }, (_, at) => Math.fround(Math.sin(3 * at + i) * 2));
      return [[`x${i}`, { dtype: 'float32', dims, data }]];
    }),
  );
}

async function computed(made: Case): Promise<HostTensor[]> {
  return withSession(modelOf(made), { runtime }, async (session) => {
    const results = await session.run(feedsOf(made));
    return Object.keys(results)
      .sort()
      .map((name) => results[name] as HostTensor);
  });
}

const list = (name: string, ...data: number[]) => integers(name, [data.length], data);
const numbers = (name: string, dims: readonly number[]) =>
  floats(
    name,
    dims,
    Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, (_, i) => Math.fround(Math.cos(i))),
  );

const image = [2, 3, 9, 7] as const;

/** Operators that the finder need not understand: it passes their sizes on. */
const passed: readonly (readonly [what: string, made: Case])[] = [
  ['a convolution', { op: 'Conv', inputs: [image, numbers('w', [4, 3, 3, 2])] }],
  [
    'a strided, padded and dilated one',
    {
      op: 'Conv',
      inputs: [image, numbers('w', [4, 3, 3, 2])],
      attributes: { strides: [2, 3], pads: [1, 0, 2, 1], dilations: [2, 1] },
    },
  ],
  [
    'a convolution of groups',
    { op: 'Conv', inputs: [image, numbers('w', [6, 1, 3, 3]), numbers('b', [6])], attributes: { group: 3 } },
  ],
  [
    'one of the same size',
    {
      op: 'Conv',
      inputs: [image, numbers('w', [4, 3, 3, 3])],
      attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] },
    },
  ],
  [
    'one that is not padded',
    { op: 'Conv', inputs: [image, numbers('w', [4, 3, 3, 3])], attributes: { auto_pad: 'VALID' } },
  ],
  [
    'a strided convolution of one point',
    { op: 'Conv', inputs: [image, numbers('w', [4, 3, 1, 1])], attributes: { strides: [2, 2] } },
  ],
  ['a maximum of windows', { op: 'MaxPool', inputs: [image], attributes: { kernel_shape: [3, 2], strides: [2, 2] } }],
  [
    'a maximum of windows that reach over the edge',
    { op: 'MaxPool', inputs: [image], attributes: { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 } },
  ],
  [
    'a mean of windows',
    { op: 'AveragePool', inputs: [image], attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } },
  ],
  ['a mean of everything', { op: 'GlobalAveragePool', inputs: [image] }],
  ['padding by attribute', { op: 'Pad', inputs: [[2, 3]], attributes: { pads: [1, 0, 0, 2] }, opset: 10 }],
  ['padding by input', { op: 'Pad', inputs: [[2, 3], list('pads', 1, 0, 0, 2)] }],
  ['sizes by scales', { op: 'Resize', inputs: [image, null, floats('scales', [4], [1, 1, 2, 1.5])] }],
  ['sizes by sizes', { op: 'Resize', inputs: [image, null, null, list('sizes', 2, 3, 4, 5)] }],
  ['the largest', { op: 'TopK', inputs: [[2, 5], list('k', 3)], attributes: { axis: 1 }, outputs: 2 }],
  ['places of the largest', { op: 'ArgMax', inputs: [[2, 5, 3]], attributes: { axis: -2 } }],
  [
    'places of the smallest without their axis',
    { op: 'ArgMin', inputs: [[2, 5, 3]], attributes: { axis: 1, keepdims: 0 } },
  ],
  ['elements by places', { op: 'GatherElements', inputs: [[3, 2], integers('i', [2, 2], [0, 1, 2, 0])] }],
  ['rows by places', { op: 'GatherND', inputs: [[3, 2, 4], integers('i', [5, 1], [0, 1, 2, 0, 1])] }],
  [
    'one-hot rows',
    {
      op: 'OneHot',
      inputs: [integers('i', [2, 3], [0, 1, 2, 0, 1, 3]), integers('depth', [], [4]), floats('v', [2], [0, 1])],
    },
  ],
  [
    'one-hot columns',
    {
      op: 'OneHot',
      inputs: [integers('i', [2, 3], [0, 1, 2, 0, 1, 3]), integers('depth', [], [4]), floats('v', [2], [0, 1])],
      attributes: { axis: 0 },
    },
  ],
  ['space to depth', { op: 'SpaceToDepth', inputs: [[2, 3, 4, 6]], attributes: { blocksize: 2 } }],
  ['depth to space', { op: 'DepthToSpace', inputs: [[2, 8, 3, 2]], attributes: { blocksize: 2 } }],
  ['a norm', { op: 'LayerNormalization', inputs: [[2, 3, 4], numbers('w', [4]), numbers('b', [4])] }],
  ['a norm of channels', { op: 'InstanceNormalization', inputs: [image, numbers('w', [3]), numbers('b', [3])] }],
  ['a triangle', { op: 'Trilu', inputs: [[3, 3]], attributes: { upper: 0 } }],
  ['sums so far', { op: 'CumSum', inputs: [[3, 3], integers('axis', [], [1])] }],
  ['a mean by attribute', { op: 'ReduceMean', inputs: [[2, 3, 4]], attributes: { axes: [-1] } }],
  [
    'a mean by input',
    { op: 'ReduceMean', inputs: [[2, 3, 4], list('axes', 1)], attributes: { keepdims: 0 }, opset: 18 },
  ],
  ['a sum of all', { op: 'ReduceSum', inputs: [[2, 3, 4]], attributes: { keepdims: 0 } }],
  ['a sum of none', { op: 'ReduceSum', inputs: [[2, 3, 4]], attributes: { noop_with_empty_axes: 1 } }],
  ['an activation', { op: 'HardSigmoid', inputs: [[2, 3]] }],
];

/** Operators that the finder computes with: they have to mean the same. */
const followed: readonly (readonly [what: string, made: Case])[] = [
  [
    'a product of matrices',
    {
      op: 'MatMul',
      inputs: [
        [2, 1, 3, 4],
        [5, 4, 2],
      ],
    },
  ],
  [
    'a Gemm',
    {
      op: 'Gemm',
      inputs: [
        [3, 4],
        [4, 2],
      ],
    },
  ],
  [
    'a Gemm with everything',
    {
      op: 'Gemm',
      inputs: [[4, 3], [2, 4], [2]],
      attributes: { transA: 1, transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } },
    },
  ],
  [
    'a Gemm with a bias of columns',
    {
      op: 'Gemm',
      inputs: [
        [3, 4],
        [4, 2],
        [3, 1],
      ],
    },
  ],
  [
    'an einsum',
    {
      op: 'Einsum',
      inputs: [
        [2, 3, 4],
        [4, 2, 5],
      ],
      attributes: { equation: 'bld, dhk -> blhk' },
    },
  ],
  [
    'an einsum that does not say its result',
    {
      op: 'Einsum',
      inputs: [
        [2, 3],
        [3, 4],
      ],
      attributes: { equation: 'ib,ba' },
    },
  ],
  ['a convolution of one point', { op: 'Conv', inputs: [[2, 3, 4], numbers('w', [5, 3, 1])] }],
  [
    'one in two dimensions, with a bias',
    {
      op: 'Conv',
      inputs: [image, numbers('w', [5, 3, 1, 1]), numbers('b', [5])],
      attributes: { kernel_shape: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0] },
    },
  ],
  [
    'one that pads to the same size',
    { op: 'Conv', inputs: [image, numbers('w', [5, 3, 1, 1])], attributes: { auto_pad: 'SAME_UPPER' } },
  ],
  [
    'a norm',
    {
      op: 'LayerNormalization',
      inputs: [[2, 3, 4], numbers('w', [4]), numbers('b', [4])],
      attributes: { epsilon: { float: 0.5 } },
      opset: 17,
    },
  ],
  [
    'a norm over two axes, without a bias',
    { op: 'LayerNormalization', inputs: [[2, 3, 4], numbers('w', [3, 4])], attributes: { axis: 1 }, opset: 17 },
  ],
  ['a softmax', { op: 'Softmax', inputs: [[2, 3, 4]] }],
  ['a softmax of another axis', { op: 'Softmax', inputs: [[2, 3, 4]], attributes: { axis: 1 } }],
  ['a softmax as it was', { op: 'Softmax', inputs: [[2, 3, 4]], attributes: { axis: 2 }, opset: 12 }],
  ['a sum of two', { op: 'Sum', inputs: [[2, 3], [3]] }],
  ['a sum of one', { op: 'Sum', inputs: [[2, 3]] }],
  ['a maximum of two', { op: 'Max', inputs: [[2, 3], [3]] }],
  ['a slice as it was', { op: 'Slice', inputs: [[4, 5]], attributes: { starts: [1, -3], ends: [9, -1] }, opset: 9 }],
  [
    'a slice as it was, of some axes',
    { op: 'Slice', inputs: [[4, 5]], attributes: { starts: [1], ends: [3], axes: [1] }, opset: 9 },
  ],
  ['a slice', { op: 'Slice', inputs: [[4, 5], list('s', -1), list('e', -10), list('a', 0), list('t', -2)] }],
  [
    'a split as it was',
    { op: 'Split', inputs: [[4, 5]], attributes: { axis: 1, split: [2, 3] }, outputs: 2, opset: 12 },
  ],
  ['a split into equal parts', { op: 'Split', inputs: [[4, 6]], attributes: { axis: 1 }, outputs: 3 }],
  [
    'a split that does not come out even',
    { op: 'Split', inputs: [[4, 5]], attributes: { axis: 1, num_outputs: 2 }, outputs: 2, opset: 18 },
  ],
  ['a split by input', { op: 'Split', inputs: [[4, 5], list('s', 1, 4)], attributes: { axis: -1 }, outputs: 2 }],
  ['axes taken away, as it was', { op: 'Squeeze', inputs: [[2, 1, 3, 1]], attributes: { axes: [1] }, opset: 11 }],
  ['axes taken away', { op: 'Squeeze', inputs: [[2, 1, 3, 1], list('a', -1)] }],
  ['all axes of one taken away', { op: 'Squeeze', inputs: [[2, 1, 3, 1]] }],
  ['new axes, as it was', { op: 'Unsqueeze', inputs: [[2, 3]], attributes: { axes: [0, 3] }, opset: 11 }],
  ['new axes', { op: 'Unsqueeze', inputs: [[2, 3], list('a', 1, -1)] }],
  ['two dimensions', { op: 'Flatten', inputs: [[2, 3, 4]], attributes: { axis: 2 } }],
  ['another shape', { op: 'Reshape', inputs: [[2, 3, 4], list('t', 0, -1, 2)] }],
  ['another shape, 0 being a size', { op: 'Reshape', inputs: [[2, 0], list('t', 0, 7)], attributes: { allowzero: 1 } }],
  ['axes in reverse', { op: 'Transpose', inputs: [[2, 3, 4]] }],
  ['axes in another order', { op: 'Transpose', inputs: [[2, 3, 4]], attributes: { perm: [1, 2, 0] } }],
  ['copies', { op: 'Tile', inputs: [[2, 3], list('r', 2, 1)] }],
  ['more of it', { op: 'Expand', inputs: [[3, 1], list('t', 2, 1, 4)] }],
  ['picked places', { op: 'Gather', inputs: [[3, 4], integers('i', [2, 1], [1, -1])], attributes: { axis: 1 } }],
  ['picked places of the first axis', { op: 'GatherND', inputs: [[3, 4], integers('i', [2, 1], [2, 0])] }],
  [
    'pieces put together',
    {
      op: 'Concat',
      inputs: [
        [2, 3],
        [2, 2],
      ],
      attributes: { axis: -1 },
    },
  ],
  ['a size', { op: 'Shape', inputs: [[2, 3, 4]] }],
  ['part of a size', { op: 'Shape', inputs: [[2, 3, 4]], attributes: { start: -2, end: -1 } }],
  ['a number of elements', { op: 'Size', inputs: [[2, 3, 4]] }],
  ['a tensor of zeros', { op: 'ConstantOfShape', inputs: [list('t', 2, 3)] }],
  ['a cast to whole numbers', { op: 'Cast', inputs: [[2, 3]], attributes: { to: 7 } }],
  ['a cast to truths', { op: 'Cast', inputs: [[2, 3]], attributes: { to: 9 } }],
  ['a dropout', { op: 'Dropout', inputs: [[2, 3]] }],
];

describe('the view of an operator', () => {
  it.each(passed)('has the sizes of %s', async (_, made) => {
    const results = await computed(made);
    const view = graphView(modelOf(made));
    const inputDims = new Map(Object.entries(feedsOf(made)).map(([name, { dims }]) => [name, dims]));
    const known = evaluate(view, { inputDims, sizeOf: new Map(), inputNumbers: new Map() });
    results.forEach(({ dims }, i) => {
      expect(known.get(`y${i}`)?.dims).toEqual(dims);
    });
  });

  it.each(followed)('computes %s', async (_, made) => {
    const results = await computed(made);
    const feeds = Object.entries(feedsOf(made)).map(([name, tensor]) => [
      name,
      { dims: tensor.dims, data: hostNumbers(tensor), type: 'float' } as Value,
    ]);
    const values = interpret(graphView(modelOf(made)), Object.fromEntries(feeds));
    results.forEach((expected, i) => {
      const actual = values.get(`y${i}`) as Value;
      expect(actual.dims).toEqual(expected.dims);
      hostNumbers(expected).forEach((x, at) => {
        expect(actual.data[at]).toBeCloseTo(x, 5);
      });
    });
  });

  it.each<[string, Case, string]>([
    ['a convolution over a neighbourhood', { op: 'Conv', inputs: [image, numbers('w', [4, 3, 3, 3])] }, 'opaque'],
    [
      'a convolution of groups of one point',
      { op: 'Conv', inputs: [image, numbers('w', [3, 1, 1, 1])], attributes: { group: 3 } },
      'opaque',
    ],
    [
      'a padded convolution of one point',
      { op: 'Conv', inputs: [image, numbers('w', [4, 3, 1, 1])], attributes: { pads: [1, 1, 1, 1] } },
      'opaque',
    ],
    ['an einsum of one operand', { op: 'Einsum', inputs: [[2, 3]], attributes: { equation: 'ij->ji' } }, 'opaque'],
    [
      'an einsum with an ellipsis',
      {
        op: 'Einsum',
        inputs: [
          [2, 3],
          [3, 4],
        ],
        attributes: { equation: '...i,ij->...j' },
      },
      'opaque',
    ],
    ['a sum of three', { op: 'Sum', inputs: [[2], [2], [2]] }, 'opaque'],
    ['a dropout that is fed its mode', { op: 'Dropout', inputs: [[2], null, [1]] }, 'opaque'],
    ['an unknown operator', { op: 'Unknown', inputs: [[2]] }, 'opaque'],
  ])('knows no meaning of %s', (_, made, kind) => {
    const { nodes } = graphView(modelOf(made));
    expect(nodes.at(-1)?.operator.kind).toBe(kind);
  });

  it('does not take an operator of another domain for that of ONNX', () => {
    const made = modelOf({
      op: 'MatMul',
      inputs: [
        [2, 3],
        [3, 2],
      ],
    });
    const foreign = made.proto.graph?.node.map((node) => edit(node, { domain: 'com.example' })) ?? [];
    const changed = {
      ...made,
      proto: edit(made.proto, {
        graph: edit(made.proto.graph as NonNullable<typeof made.proto.graph>, { node: foreign }),
      }),
    };
    expect(graphView(changed).nodes.map(({ operator }) => operator)).toEqual([
      { kind: 'opaque', name: 'com.example.MatMul', shapes: null },
    ]);
  });

  it('takes a dimension of -1 for an open one', () => {
    const made = model(graph({ input: [value('x', 1, ['batch', -1, 4, ''])], output: [value('x')] }));
    expect(graphView(made).inputs).toEqual([{ id: 'x', type: 'float', dims: ['batch', null, 4, null] }]);
  });
});
