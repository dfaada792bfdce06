import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FunctionProtoSchema, ModelProtoSchema, NodeProtoSchema, TensorProto_DataType } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { edit } from '../src/graph/edit.js';
import { extractModel } from '../src/graph/extract-model.js';
import { floats, graph, model, node, value } from './graph-builder.js';
import { runFloats } from './graph-run.js';

const FLOAT = TensorProto_DataType.FLOAT;
const whole = model(
  graph({
    node: [
      node('Add', ['x', 'w'], ['a']),
      node('Neg', ['a'], ['b']),
      node('Mul', ['b', 'v'], ['c']),
      node('Add', ['c', 'y'], ['d']),
    ],
    input: [value('x', FLOAT, [3]), value('y', FLOAT, [3]), value('v', FLOAT, [3])],
    output: [value('d', FLOAT, [3])],
    initializer: [floats('w', [3], [1, 2, 3]), floats('v', [3], [2, 2, 2])],
    valueInfo: [value('a', FLOAT, [3]), value('b', FLOAT, [3]), value('c', FLOAT, [3])],
  }),
);
const names = (list: readonly { name: string }[] | undefined) => list?.map((item) => item.name);

describe('extractModel', () => {
  it('computes the outputs from the inputs, with only the initialisers it needs', async () => {
    const part = extractModel(whole, { inputs: ['b', 'y'], outputs: ['d', 'c'] });
    expect(names(part.proto.graph?.initializer)).toEqual(['v']);
    expect(names(part.proto.graph?.input)).toEqual(['b', 'y', 'v']);
    expect(names(part.proto.graph?.valueInfo)).toEqual([]);
    const { b, c, d } = { b: [1, -1, 0.5], c: [2, -2, 1], d: [3, -1, 2] };
    const results = await runFloats(part, { b: Float32Array.from(b), y: Float32Array.of(1, 1, 1) });
    expect(results).toEqual({ d: Float32Array.from(d), c: Float32Array.from(c) });
  });

  it('takes element types from the caller where the graph declares none', async () => {
    const silent = model(edit(whole.proto.graph ?? graph({}), { valueInfo: [] }));
    expect(() => extractModel(silent, { inputs: ['b'], outputs: ['c'] })).toThrow(
      'The graph does not declare the type of "b": give its element type to cut there.',
    );
    const part = extractModel(silent, { inputs: [{ name: 'b', elemType: FLOAT }], outputs: ['c'] });
    expect(await runFloats(part, { b: Float32Array.of(1, 2, 3) })).toEqual({ c: Float32Array.of(2, 4, 6) });
  });

  it('can cut at an initialiser', async () => {
    const part = extractModel(whole, { inputs: ['x', 'w'], outputs: ['a'] });
    expect(names(part.proto.graph?.initializer)).toEqual([]);
    const feeds = { x: Float32Array.of(1, 1, 1), w: Float32Array.of(0, 1, 0) };
    expect(await runFloats(part, feeds)).toEqual({ a: Float32Array.of(1, 2, 1) });
  });

  it('keeps operator sets, functions, metadata and unknown fields, and shares the messages', () => {
    const body = [create(NodeProtoSchema, { opType: 'Neg', input: ['p'], output: ['q'] })];
    const rich = edit(whole.proto, {
      functions: [create(FunctionProtoSchema, { name: 'f', domain: 'local', input: ['p'], output: ['q'], node: body })],
      metadataProps: [{ $typeName: 'onnx.StringStringEntryProto', key: 'author', value: 'someone' }],
    });
    // Field 999, a varint, which no version of ONNX defines.
    const bytes = new Uint8Array([...toBinary(ModelProtoSchema, rich), 0xb8, 0x3e, 0x07]);
    const source = { ...whole, proto: fromBinary(ModelProtoSchema, bytes) };
    const { proto } = extractModel(source, { inputs: ['x'], outputs: ['b'] });
    expect(proto.functions).toBe(source.proto.functions);
    expect(proto.opsetImport).toBe(source.proto.opsetImport);
    expect(proto.irVersion).toBe(8n);
    expect(proto.metadataProps).toBe(source.proto.metadataProps);
    expect(proto.$unknown).toEqual(source.proto.$unknown);
    expect(proto.$unknown).toHaveLength(1);
    expect(proto.graph?.node[0]).toBe(source.proto.graph?.node[0]);
    expect(toBinary(ModelProtoSchema, source.proto)).toEqual(bytes);
  });

  it.each([
    [
      { inputs: ['x'], outputs: ['d'] },
      'The part needs "y" (read by node "node_d" (Add)): an input of the model that is not among the inputs of the part.',
    ],
    [{ inputs: ['x'], outputs: ['q'] }, 'The part needs "q", but nothing in the graph defines it.'],
    [{ inputs: ['x'], outputs: ['x'] }, 'Cannot extract "x" as an output: it is an input of the same part.'],
  ])('refuses %j', (range, message) => {
    expect(() => extractModel(whole, range)).toThrow(message);
  });
});
