import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
} from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { graphIndex } from '../src/graph/graph-index.js';
import { floats, graph, integers, node, value } from './graph-builder.js';

const FLOAT = TensorProto_DataType.FLOAT;
const INT64 = TensorProto_DataType.INT64;
const weight = floats('w', [3, 3], Array(9).fill(1));

function branch(name: string) {
  return graph({ node: [node('Neg', ['a'], [name])], output: [value(name)] });
}

const sample = graph({
  node: [
    node('MatMul', ['x', 'w'], ['a']),
    node('Add', ['a', 'a'], ['b']),
    node('If', ['yes'], ['y'], { then_branch: branch('t'), else_branch: branch('e') }),
    node('Constant', [], ['c'], { value: integers('', [2], [0, -1]) }),
  ],
  input: [value('x', FLOAT, ['n', 3]), value('w', FLOAT, [3, 3]), value('yes', TensorProto_DataType.BOOL, [])],
  output: [value('y', FLOAT), value('b', FLOAT)],
  initializer: [weight],
  valueInfo: [value('a', FLOAT, ['n', 3])],
});

describe('graphIndex', () => {
  const index = graphIndex(sample);

  it('knows who makes a value', () => {
    expect(index.producer('b')).toEqual({ node: 1, output: 0 });
    expect(index.producer('x')).toBeUndefined();
    expect(index.producer('w')).toBeUndefined();
  });

  it('knows who reads a value, captures of nested graphs included', () => {
    expect(index.consumers('a')).toEqual([
      { node: 1, input: 0 },
      { node: 1, input: 1 },
      { node: 2, input: null },
    ]);
    expect(index.consumers('y')).toEqual([]);
    expect(index.consumers('t')).toEqual([]);
  });

  it('tells what is fed from what only declares an initialiser', () => {
    expect([...index.inputs.keys()]).toEqual(['x', 'yes']);
    expect(index.constant('w')).toBe(weight);
    expect([...index.outputs]).toEqual(['y', 'b']);
    expect(index.declared.get('a')).toBe(sample.valueInfo[0]);
  });

  it('reads Constant nodes, and takes no other node for one', () => {
    expect(index.constant('c')?.int64Data).toEqual([0n, -1n]);
    expect(index.constant('a')).toBeUndefined();
    expect(index.constant('x')).toBeUndefined();
  });

  it.each([
    ['value_float', { f: 0.5 }, { dataType: FLOAT, floatData: [0.5] }],
    ['value_floats', { floats: [0.5, 2] }, { dataType: FLOAT, dims: [2n], floatData: [0.5, 2] }],
    ['value_int', { i: 2n ** 63n - 1n }, { dataType: INT64, int64Data: [2n ** 63n - 1n] }],
    ['value_ints', { ints: [1n, -1n, 0n] }, { dataType: INT64, dims: [3n], int64Data: [1n, -1n, 0n] }],
  ])('reads a Constant node that holds %s', (name, held, expected) => {
    const attribute = create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.UNDEFINED, ...held });
    const constant = create(NodeProtoSchema, { opType: 'Constant', output: ['k'], attribute: [attribute] });
    expect(graphIndex(graph({ node: [constant] })).constant('k')).toEqual(create(TensorProtoSchema, expected));
  });

  it('refuses a node number that is none', () => {
    expect(() => index.node(4)).toThrow('Graph "test" has no node number 4.');
  });
});
