import { create, type DescMessage, ScalarType, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  AttributeProto_AttributeType,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProto_DataType,
} from 'onnx-buf';
import { describe, expect, test } from 'vitest';
import { encodeMessage } from '../src/file/encode-message.js';
import { encodeModel } from '../src/file/encode-model.js';
import { mapTensors } from '../src/file/map-tensors.js';
import { readModel } from '../src/file/read-model.js';
import { edit } from '../src/graph/edit.js';
import { encodeTensor } from '../src/tensor/encode-tensor.js';
import { affineModel, plainBytes, runAffine } from './file-model.js';

const { FLOAT, INT4, BFLOAT16, STRING, COMPLEX64, FLOAT8E5M2 } = TensorProto_DataType;
const text = (words: string) => new TextEncoder().encode(words);
const large = (name: string) =>
  encodeTensor(
    name,
    'float32',
    [100, 300],
    new Float64Array(30_000).map((_, i) => i / 7),
  );

/** A model with tensors of many types in every place that can hold one, and large ones in several of them. */
function richModel(): ModelProto {
  const constant = (name: string) => ({
    opType: 'Constant',
    output: [name],
    attribute: [{ name: 'value', type: AttributeProto_AttributeType.TENSOR, t: large('') }],
  });
  const sparse = {
    values: large('sparse'),
    indices: encodeTensor('', 'int64', [1], BigInt64Array.of(2n ** 63n - 1n)),
    dims: [9n],
  };
  const inner = { name: 'inner', initializer: [large('inner weight')], node: [constant('inner value')] };
  const typed = [
    { name: 'typed', dims: [2n], dataType: FLOAT, floatData: [0.1, Number.NaN] },
    { name: 'half', dims: [2n], dataType: BFLOAT16, int32Data: [0x3f80, 0xffff] },
    { name: 'nibbles', dims: [3n], dataType: INT4, rawData: new Uint8Array([0x21, 0x03]) },
    { name: 'words', dims: [2n], dataType: STRING, stringData: [text('\u00e9'), new Uint8Array([0xff, 0xfe])] },
    { name: 'complex', dims: [1n], dataType: COMPLEX64, floatData: [1, -1] },
    { name: 'eighth', dims: [1n], dataType: FLOAT8E5M2, int32Data: [200] },
    { name: 'of a type to come', dims: [1n], dataType: 99, rawData: new Uint8Array([1, 2, 3]) },
  ];
  return create(ModelProtoSchema, {
    irVersion: 13n,
    opsetImport: [
      { domain: 'ai.onnx', version: 24n },
      { domain: 'com.example', version: 1n },
    ],
    docString: 'Gr\u00fc\u00dfe, \u4e16\u754c \ud83d\ude00',
    graph: {
      name: 'main',
      initializer: [...typed, large('weight')],
      sparseInitializer: [sparse],
      node: [
        constant('value'),
        { opType: 'If', attribute: [{ name: 'then_branch', type: AttributeProto_AttributeType.GRAPH, g: inner }] },
        {
          opType: 'Many',
          attribute: [{ name: 'all', tensors: [large('t')], graphs: [inner], sparseTensors: [sparse] }],
        },
        {
          opType: 'One',
          attribute: [
            { name: 's', s: new Uint8Array(70_000).fill(7) },
            { name: 'st', sparseTensor: sparse },
          ],
        },
      ],
      metadataProps: [{ key: 'a', value: 'b' }],
    },
    functions: [
      { name: 'f', domain: 'com.example', node: [constant('v')], attributeProto: [{ name: 'x', t: large('d') }] },
    ],
    trainingInfo: [{ initialization: inner, algorithm: inner }],
    metadataProps: [{ key: 'author', value: 'a test' }],
  });
}

/** A nested field with a body written by hand. */
function field(number: number, ...parts: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(body).finish();
}

describe('reading and encoding gives the same bytes', () => {
  test('for tensors of every kind, in every place', async () => {
    const bytes = plainBytes(richModel());
    const model = await readModel(bytes);
    expect(Buffer.compare(encodeModel(model).bytes, bytes)).toBe(0);
    expect(model.externalData.size).toBe(0);
  });

  test('for fields of a later version of ONNX, whichever message they are in', async () => {
    const later = [
      new BinaryWriter()
        .tag(900, WireType.Varint)
        .uint64(2n ** 64n - 1n)
        .finish(),
      new BinaryWriter().tag(901, WireType.LengthDelimited).bytes(text('new')).finish(),
      new BinaryWriter().tag(902, WireType.Bit64).double(0.1).finish(),
      new BinaryWriter().tag(903, WireType.Bit32).float(0.5).finish(),
      new BinaryWriter()
        .tag(904, WireType.StartGroup)
        .tag(1, WireType.Varint)
        .uint32(5)
        .tag(904, WireType.EndGroup)
        .finish(),
    ];
    const tensor = field(
      5,
      new BinaryWriter().tag(2, WireType.Varint).int32(1).finish(),
      field(9, large('').rawData),
      ...later,
    );
    const attribute = field(5, field(1, text('value')), tensor, ...later);
    const node = field(1, field(4, text('Constant')), attribute, ...later);
    const dim = field(1, new BinaryWriter().tag(1, WireType.Varint).int64(3n).finish(), ...later);
    const tensorType = field(
      1,
      new BinaryWriter().tag(1, WireType.Varint).int32(1).finish(),
      field(2, dim, ...later),
      ...later,
    );
    const input = field(11, field(1, text('x')), field(2, tensorType, ...later), ...later);
    const opset = field(8, new BinaryWriter().tag(2, WireType.Varint).int64(17n).finish(), ...later);
    const irVersion = new BinaryWriter().tag(1, WireType.Varint).int64(10n).finish();
    const bytes = Buffer.concat([irVersion, field(7, node, input, ...later), opset, ...later]);
    const model = await readModel(new Uint8Array(bytes));
    expect(Buffer.compare(encodeModel(model).bytes, bytes)).toBe(0);

    // An edit elsewhere, and a new message around them, loses none of them either.
    const graph = model.proto.graph as NonNullable<ModelProto['graph']>;
    const edited = { ...model, proto: edit(model.proto, { graph: edit(graph, { docString: 'edited' }) }) };
    const again = Buffer.from(encodeModel(edited).bytes);
    for (const unknown of later) expect(count(again, unknown)).toBe(count(bytes, unknown));
    expect(count(bytes, later[1] as Uint8Array)).toBe(11);
  });
});

/** Every tensor below a message, found by its type alone. */
function tensorsIn(value: unknown): TensorProto[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const own = (value as { $typeName?: string }).$typeName === 'onnx.TensorProto' ? [value as TensorProto] : [];
  return [...own, ...Object.values(value).flatMap(tensorsIn)];
}

function count(bytes: Buffer, part: Uint8Array): number {
  let found = 0;
  for (let at = bytes.indexOf(part); at >= 0; at = bytes.indexOf(part, at + 1)) found++;
  return found;
}

test('large tensors are encoded in place, and the pieces are what the protobuf library writes', () => {
  const proto = richModel();
  const { pieces, byteLength } = encodeMessage(ModelProtoSchema, proto);
  const expected = plainBytes(proto);
  expect(Buffer.compare(Buffer.concat(pieces as Uint8Array[]), expected)).toBe(0);
  expect(byteLength).toBe(expected.byteLength);
  const weight = proto.graph?.initializer.at(-1)?.rawData as Uint8Array;
  expect(pieces.some((piece) => piece === weight)).toBe(true);
});

test('parsed weights are views into the given bytes', async () => {
  const bytes = plainBytes(affineModel());
  const model = await readModel(bytes);
  expect(model.proto.graph?.initializer[0]?.rawData.buffer).toBe(bytes.buffer);
});

test('every tensor is visited once, and only the messages around a changed one are new', () => {
  const proto = richModel();
  const seen: TensorProto[] = [];
  const initializers: string[] = [];
  const same = mapTensors(proto, (tensor, role) => {
    seen.push(tensor);
    if (role === 'initializer') initializers.push(tensor.name);
    return tensor;
  });
  expect(same).toBe(proto);
  expect(seen.length).toBeGreaterThan(20);
  expect(seen.map(({ name }) => name).sort()).toEqual(
    tensorsIn(proto)
      .map(({ name }) => name)
      .sort(),
  );
  const inner = Array(4).fill('inner weight');
  expect(initializers.sort()).toEqual([...(proto.graph?.initializer ?? []).map(({ name }) => name), ...inner].sort());

  const before = toBinary(ModelProtoSchema, proto);
  const changed = mapTensors(proto, (tensor) => (tensor.name === 't' ? edit(tensor, { docString: 'new' }) : tensor));
  expect(changed.graph?.node[2]).not.toBe(proto.graph?.node[2]);
  expect(changed.graph?.node[2]?.attribute[0]?.graphs).toBe(proto.graph?.node[2]?.attribute[0]?.graphs);
  expect(changed.graph?.initializer).toBe(proto.graph?.initializer);
  expect(changed.functions).toBe(proto.functions);
  expect(Buffer.compare(toBinary(ModelProtoSchema, proto), before)).toBe(0);
});

test('bytes and the files beside them are what ONNX Runtime takes', async () => {
  const model = await readModel(plainBytes(affineModel(64)), { name: 'folder/affine.onnx' });
  const { bytes, externalData } = encodeModel(model, { externalData: 'always' });
  expect([...externalData.keys()]).toEqual(['affine.onnx.data']);
  // W has 16 KiB and moves out, b has 256 bytes and stays.
  expect(externalData.get('affine.onnx.data')?.byteLength).toBe(64 * 64 * 4);
  const files = [...externalData].map(([path, data]) => ({ path, data }));
  const expected = await runAffine(plainBytes(affineModel(64)), 64);
  expect(await runAffine(bytes, 64, { externalData: files })).toEqual(expected);

  const back = await readModel(bytes, { externalData: Object.fromEntries(externalData) });
  const inlined = encodeModel(back, { externalData: 'never' });
  expect(Buffer.compare(inlined.bytes, plainBytes(affineModel(64)))).toBe(0);
  expect(inlined.externalData.size).toBe(0);
});

test('no message of ONNX with a oneof holds bytes, which would be overlooked when pieces are made', () => {
  const known = new Map<string, DescMessage>();
  const visit = (desc: DescMessage) => {
    if (known.has(desc.typeName)) return;
    known.set(desc.typeName, desc);
    for (const member of desc.fields) if (member.message !== undefined) visit(member.message);
  };
  const holdsBytes = (desc: DescMessage, path: readonly DescMessage[] = []): boolean =>
    desc.fields.some((member) => {
      if (member.message === undefined) return member.scalar === ScalarType.BYTES;
      return !path.includes(member.message) && holdsBytes(member.message, [...path, desc]);
    });
  visit(ModelProtoSchema);
  const withOneof = [...known.values()].filter((desc) => desc.oneofs.length > 0);
  expect(withOneof.map((desc) => desc.typeName)).toContain('onnx.TypeProto');
  expect(withOneof.filter((desc) => holdsBytes(desc))).toEqual([]);
  expect(holdsBytes(ModelProtoSchema)).toBe(true);
});
