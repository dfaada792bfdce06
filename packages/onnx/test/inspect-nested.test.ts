// Attention where the finder does not look: in nested graphs and functions. It is said to be there, and left alone.
import { create } from '@bufbuild/protobuf';
import { FunctionProtoSchema, NodeProtoSchema, SparseTensorProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { edit } from '../src/graph/edit.js';
import { inspect } from '../src/index.js';
import { fixtureModel } from './fixture.js';
import { graph, model, node, value } from './graph-builder.js';

const body = (...operators: string[]) =>
  graph({
    node: operators.map((op, i) => node(op, [i === 0 ? 'x' : `inner${i - 1}`], [`inner${i}`])),
    output: [value(`inner${operators.length - 1}`)],
  });

const choice = (...operators: string[]) =>
  node('If', ['condition'], ['y'], { then_branch: body(...operators), else_branch: body('Relu') });

const around = (made: ReturnType<typeof node>) =>
  model(graph({ node: [made], input: [value('x', 1, [2, 3]), value('condition', 9, [])], output: [value('y')] }));

describe('inspect', () => {
  it('says that a softmax is inside a nested graph', () => {
    expect(inspect(around(choice('Exp', 'Softmax')))).toEqual({
      attention: [],
      skipped: [
        {
          name: 'node_y',
          reason: 'attention or a softmax is inside the body of this If; nested graphs are not swapped',
          nodes: ['node_y'],
        },
      ],
      notices: [],
    });
  });

  it('looks into nested graphs of nested graphs', () => {
    const nested = node('If', ['condition'], ['y'], {
      then_branch: graph({ node: [edit(choice('Softmax'), { output: ['z'] })], output: [value('z')] }),
      else_branch: body('Relu'),
    });
    expect(inspect(around(nested)).skipped).toHaveLength(1);
  });

  it('says nothing of nested graphs without one', () => {
    expect(inspect(around(choice('Exp'))).skipped).toEqual([]);
  });

  it('says that a function of the model holds a softmax', () => {
    const call = node('Weigh', ['x'], ['y'], {}, 'local');
    const made = around(call);
    const inner = create(NodeProtoSchema, { opType: 'Softmax', input: ['a'], output: ['b'] });
    const functions = [
      create(FunctionProtoSchema, { name: 'Weigh', domain: 'local', input: ['a'], output: ['b'], node: [inner] }),
    ];
    const { attention, skipped } = inspect({ ...made, proto: edit(made.proto, { functions }) });
    expect(attention).toEqual([]);
    expect(skipped.map(({ reason }) => reason)).toEqual([
      "it is a call of the model's own function local.Weigh, which holds attention or a softmax; functions are not swapped",
    ]);
  });

  it('tells functions of one name apart by their overload', () => {
    const named = (overload: string, opType: string) =>
      create(FunctionProtoSchema, {
        name: 'Weigh',
        domain: 'local',
        overload,
        input: ['a'],
        output: ['b'],
        node: [create(NodeProtoSchema, { opType, input: ['a'], output: ['b'] })],
      });
    const functions = [named('', 'Softmax'), named('plain', 'Relu')];
    const skippedOf = (overload: string) => {
      const made = around(edit(node('Weigh', ['x'], ['y'], {}, 'local'), { overload }));
      return inspect({ ...made, proto: edit(made.proto, { functions }) }).skipped;
    };
    expect(skippedOf('')).toHaveLength(1);
    expect(skippedOf('plain')).toEqual([]);
  });

  it.each(['Attention', 'MultiHeadAttention', 'GroupQueryAttention', 'QAttention', 'PackedMultiHeadAttention'])(
    'says that %s is attention in one operator',
    (op) => {
      const { attention, skipped } = inspect(around(node(op, ['x'], ['y'], {}, 'com.microsoft')));
      expect(attention).toEqual([]);
      expect(skipped.map(({ reason }) => reason)).toEqual([
        `it is attention fused into one operator (com.microsoft.${op}), which is not swapped`,
      ]);
    },
  );

  it('does not read weights in sparse initialisers', async () => {
    const made = await fixtureModel('reversed-products-script13');
    const own = made.proto.graph as NonNullable<typeof made.proto.graph>;
    const isWeight = ({ dims }: { dims: readonly bigint[] }) => dims.length === 2;
    const [weight] = own.initializer.filter(isWeight) as [(typeof own.initializer)[0]];
    const sparse = create(SparseTensorProtoSchema, {
      values: edit(weight, { dims: [weight.dims[0] ?? 0n] }),
      dims: weight.dims,
    });
    const changed = edit(own, {
      initializer: own.initializer.filter((tensor) => tensor !== weight),
      sparseInitializer: [sparse],
    });
    const { attention, skipped } = inspect({ ...made, proto: edit(made.proto, { graph: changed }) });
    expect(attention).toEqual([]);
    expect(skipped.map(({ reason }) => reason)).toEqual([
      `its weight "${weight.name}" is computed by ${weight.name} (sparse initializer)`,
    ]);
  });
});
