import { toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { ModelProtoSchema } from 'onnx-buf';
import { describe, expect, test } from 'vitest';
import { encodeModel } from '../src/file/encode-model.js';
import { OnnxFileError } from '../src/file/onnx-file-error.js';
import { readModel } from '../src/file/read-model.js';
import { decodeFloat } from '../src/tensor/decode-float.js';
import { affineModel, plainBytes } from './file-model.js';

/** A nested field with a body written by hand. */
function field(number: number, ...parts: Uint8Array[]): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(Buffer.concat(parts)).finish();
}

/** A model whose graph is these bytes. */
function withGraph(...graph: Uint8Array[]): Uint8Array {
  const opset = field(8, new BinaryWriter().tag(2, WireType.Varint).int64(17n).finish());
  return new Uint8Array(Buffer.concat([new Uint8Array([8, 8]), opset, field(7, ...graph)]));
}

/** One field many times. */
function repeated(bytes: readonly number[], times: number): Uint8Array {
  const all = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) all.set(bytes, i * bytes.length);
  return all;
}

/** The error that reading ends with, and that it took little memory to find out. */
async function refusal(bytes: Uint8Array): Promise<string> {
  const memory = process.memoryUsage().rss;
  const error = await readModel(bytes).then(
    () => expect.fail('it was read'),
    (reason: unknown) => reason,
  );
  expect(process.memoryUsage().rss - memory).toBeLessThan(3e8);
  expect(error).toBeInstanceOf(OnnxFileError);
  return (error as Error).message;
}

test('a model cut short anywhere is refused, and told from one that is something else', async () => {
  const bytes = plainBytes(affineModel());
  const said = new Map<string, number>();
  for (let length = 0; length < bytes.length; length++) {
    const error = await readModel(bytes.subarray(0, length)).then(
      () => expect.fail(`the first ${length} bytes were read`),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(OnnxFileError);
    const kind = /it is (cut short|empty|no complete)/.exec((error as Error).message)?.[1];
    expect(kind, `${length}: ${error}`).toBeDefined();
    said.set(kind as string, (said.get(kind as string) ?? 0) + 1);
  }
  expect(said.get('empty')).toBe(1);
  expect(said.get('cut short')).toBeGreaterThan(bytes.length - 10);
});

test('bytes changed at random give another model or a clear error, and never a model that cannot be written', async () => {
  const original = plainBytes(affineModel(2));
  const change = fc.record({ at: fc.nat(original.length - 1), byte: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = original.slice();
      for (const { at, byte } of changes) bytes[at] = byte;
      const model = await readModel(bytes).catch((error: unknown) => {
        expect(error).toBeInstanceOf(OnnxFileError);
      });
      if (model === undefined) return;
      const written = encodeModel(model).bytes;
      const again = await readModel(written);
      expect(Buffer.compare(toBinary(ModelProtoSchema, again.proto), written)).toBe(0);
    }),
    { seed: 7, numRuns: 3000 },
  );
});

test('random bytes are refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
      await expect(readModel(bytes)).rejects.toThrow(OnnxFileError);
    }),
    { seed: 3, numRuns: 2000 },
  );
});

describe('protobuf that a parser should not be given', () => {
  test('messages nested without end', async () => {
    let graph: Uint8Array = new Uint8Array(0);
    for (let level = 0; level < 2000; level++) graph = field(1, field(5, field(6, graph)));
    expect(await refusal(withGraph(graph))).toMatch(/more than 100 messages inside each other/);
  });

  test('nested as deep as other parsers allow is fine', async () => {
    let graph: Uint8Array = new Uint8Array(0);
    for (let level = 0; level < 32; level++) graph = field(1, field(5, field(6, graph)));
    await readModel(withGraph(graph));
  });

  test('groups nested without end, or ended by another, or never begun', async () => {
    const start = [...new BinaryWriter().tag(77, WireType.StartGroup).finish()];
    const end = [...new BinaryWriter().tag(77, WireType.EndGroup).finish()];
    expect(await refusal(withGraph(repeated(start, 1e6)))).toMatch(/more than 100 messages inside each other/);
    expect(await refusal(withGraph(new Uint8Array(end)))).toMatch(/a group that never began/);
    const other = new BinaryWriter().tag(78, WireType.EndGroup).finish();
    expect(await refusal(withGraph(new Uint8Array(start), other))).toMatch(/a group that another one ends/);
    expect(await refusal(withGraph(new Uint8Array(start)))).toMatch(/damaged/);
  });

  test('lengths beyond the message, the file and 32 bits', async () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    expect(await refusal(withGraph(new Uint8Array([0x0a, 5, 0])))).toMatch(/a length leaves the message/);
    expect(await refusal(withGraph(new Uint8Array([0x0a, ...huge])))).toMatch(/a length leaves the message/);
    expect(await refusal(new Uint8Array([8, 8, 0x3a, ...huge]))).toMatch(/cut short/);
    // 2^32 + 2: a parser with 32 bits would take it for 2.
    expect(await refusal(withGraph(new Uint8Array([0x0a, 0x82, 0x80, 0x80, 0x80, 0x10, 0, 0])))).toMatch(
      /a length leaves/,
    );
  });

  test('a child that is longer than its parent', async () => {
    // Graph of 4 bytes whose node claims 6: they are there in the file, but not in the graph.
    const bytes = new Uint8Array([8, 8, 0x3a, 4, 0x0a, 6, 0, 0, 0x42, 2, 0x10, 17]);
    expect(await refusal(bytes)).toMatch(/a length leaves the message/);
  });

  test('numbers without end, tags of no field, the wrong kind of value', async () => {
    expect(await refusal(withGraph(new Uint8Array([0xf8, 0x3f, ...Array(11).fill(0xff)])))).toMatch(
      /more than 10 bytes/,
    );
    expect(await refusal(withGraph(new Uint8Array([0x06, 1])))).toMatch(/no field has the tag 6/);
    expect(await refusal(withGraph(new Uint8Array([0x00, 1])))).toMatch(/no field has the tag 0/);
    expect(await refusal(withGraph(new Uint8Array([0x08, 1])))).toMatch(
      /wrong kind of value for onnx\.GraphProto\.node/,
    );
    const floats = field(5, field(4, new Uint8Array(7)));
    expect(await refusal(withGraph(floats))).toMatch(/damaged/);
  });

  test('text that could not be kept as it is', async () => {
    expect(await refusal(withGraph(field(2, new Uint8Array([0x41, 0xc3, 0x28]))))).toMatch(
      /the text in onnx\.GraphProto\.name is not UTF-8/,
    );
  });
});

describe('a small file cannot take a large memory', () => {
  const bombs: [string, Uint8Array, RegExp][] = [
    ['empty nodes', repeated([0x0a, 0], 1e7), /more than 2 GB of objects/],
    ['empty initialisers', repeated([0x2a, 0], 1e7), /more than 2 GB of objects/],
    ['unknown fields', repeated([0xf8, 0x3f, 1], 2e7), /more than 2 GB of objects/],
    ['numbers of one byte', field(5, field(7, new Uint8Array(7e7))), /more than (2 GB of objects|67108864 numbers)/],
    ['unpacked numbers', field(5, repeated([0x28, 1], 7e7)), /more than 67108864 numbers/],
  ];
  test.each(bombs)('%s', async (_, graph, message) => {
    expect(await refusal(withGraph(graph))).toMatch(message);
  });

  test('a tensor that declares more than there is reads as a model, and is refused when it is asked for', async () => {
    const dims = new BinaryWriter()
      .tag(1, WireType.Varint)
      .int64(2n ** 62n)
      .finish();
    const model = await readModel(withGraph(field(5, dims, new Uint8Array([0x10, 1]), field(9, new Uint8Array(16)))));
    const [tensor] = model.proto.graph?.initializer ?? [];
    expect(() => decodeFloat(tensor as NonNullable<typeof tensor>, model)).toThrow(OnnxFileError);
  });
});
