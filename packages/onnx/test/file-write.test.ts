import { createHash } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TensorProto, TensorProto_DataLocation } from 'onnx-buf';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { layOutModel } from '../src/file/lay-out-model.js';
import { nodeModules } from '../src/file/node-modules.js';
import { OnnxFileError } from '../src/file/onnx-file-error.js';
import { readModel } from '../src/file/read-model.js';
import { type WriteProgress, writeModel } from '../src/file/write-model.js';
import { writePieces } from '../src/file/write-pieces.js';
import { edit } from '../src/graph/edit.js';
import type { OnnxModel } from '../src/graph/model.js';
import { encodeTensor } from '../src/tensor/encode-tensor.js';
import { rawBytes } from '../src/tensor/raw-bytes.js';
import { affineModel, inMemory, plainBytes, runAffine, temporaryFolder } from './file-model.js';

/** Wide enough for the weight to pass 1 MiB, where places are aligned to 64 KiB. */
const size = 600;
let folder: string;
let input: string;
let inputFiles: Record<string, string>;

/** A folder with `in.onnx`, whose weight is in `in.onnx.data`. */
beforeEach(async () => {
  folder = temporaryFolder();
  input = join(folder, 'in.onnx');
  await writeModel(inMemory(affineModel(size)), input, { externalData: 'always' });
  inputFiles = contents();
});

/** What is in the folder: the hash of each file. */
function contents(): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).map((file) => [file, hash(readFileSync(join(folder, file)))]));
}

function hash(bytes: Uint8Array | null): string {
  return createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');
}

const inFolder = (file: string) => join(folder, file);
const weights = (model: OnnxModel) => model.proto.graph?.initializer as TensorProto[];

describe('external data', () => {
  test('goes into one file beside the model, aligned for mapping, and ONNX Runtime reads it', async () => {
    expect(readdirSync(folder).sort()).toEqual(['in.onnx', 'in.onnx.data']);
    const model = await readModel(input);
    const [W, b] = weights(model) as [TensorProto, TensorProto];
    expect(Object.fromEntries(W.externalData.map(({ key, value }) => [key, value]))).toEqual({
      location: 'in.onnx.data',
      offset: '0',
      length: String(4 * size * size),
    });
    expect(Number(b.externalData.find(({ key }) => key === 'offset')?.value) % 4096).toBe(0);
    expect(await runAffine(input, size)).toEqual(await runAffine(plainBytes(affineModel(size)), size));
  });

  test('keeps its bytes, while new weights in the message stay there', async () => {
    const model = await readModel(input);
    const [W] = weights(model) as [TensorProto];
    const zeros = encodeTensor('b', 'float32', [size], new Float64Array(size));
    const graph = edit(model.proto.graph as NonNullable<typeof model.proto.graph>, { initializer: [W, zeros] });
    const edited = { ...model, proto: edit(model.proto, { graph }) };
    const written = await writeModel(edited, inFolder('out.onnx'));
    expect(written).toEqual({
      path: inFolder('out.onnx'),
      dataPath: inFolder('out.onnx.data'),
      byteLength: statSync(inFolder('out.onnx')).size + statSync(inFolder('out.onnx.data')).size,
    });
    const back = await readModel(inFolder('out.onnx'));
    const [newW, newB] = weights(back) as [TensorProto, TensorProto];
    expect(hash(rawBytes(newW, back))).toBe(hash(rawBytes(W, model)));
    expect(newB.dataLocation).toBe(TensorProto_DataLocation.DEFAULT);
    // What the old b took is not carried along.
    expect(statSync(inFolder('out.onnx.data')).size).toBe(4 * size * size);
    const computed = await runAffine(inFolder('out.onnx'), size);
    const original = await runAffine(plainBytes(affineModel(size, { b: zeros })), size);
    expect(computed).toEqual(original);
  });

  test('is copied in order and once, though two tensors share it', async () => {
    const model = await readModel(input);
    const [W, b] = weights(model) as [TensorProto, TensorProto];
    const graph = edit(model.proto.graph as NonNullable<typeof model.proto.graph>, {
      initializer: [b, W, edit(W, { name: 'tied' })],
    });
    await writeModel({ ...model, proto: edit(model.proto, { graph }) }, inFolder('tied.onnx'));
    const back = await readModel(inFolder('tied.onnx'));
    const places = weights(back).map(({ externalData }) => externalData.find(({ key }) => key === 'offset')?.value);
    expect(places).toEqual(['0', '65536', '65536']);
    expect(statSync(inFolder('tied.onnx.data')).size).toBe(65536 + 4 * size * size);
    expect(weights(back).map((tensor) => hash(rawBytes(tensor, back)))).toEqual(
      [b, W, W].map((tensor) => hash(rawBytes(tensor, model))),
    );
  });

  test('never: all comes into the message, which is then what it was before it went out', async () => {
    await writeModel(await readModel(input), inFolder('one.onnx'), { externalData: 'never' });
    expect(readdirSync(folder).sort()).toEqual(['in.onnx', 'in.onnx.data', 'one.onnx']);
    expect(Buffer.compare(readFileSync(inFolder('one.onnx')), plainBytes(affineModel(size)))).toBe(0);
  });

  test('auto: a message that would be too large has its weights moved out, and only then', async () => {
    const model = inMemory(affineModel(size));
    const whole = plainBytes(model.proto).byteLength;
    expect(layOutModel(model, 'd', 'auto', whole).data.byteLength).toBe(0);
    // The weights alone would still fit here, it is the rest of the message that does not.
    for (const limit of [whole - 1, 5000]) {
      const { message, data } = layOutModel(model, 'd', 'auto', limit);
      expect(data.ranges.map(({ length }) => length)).toEqual([4 * size * size, 4 * size]);
      expect(message.byteLength).toBeLessThan(limit);
    }
    expect(() => layOutModel(model, 'd', 'never', whole - 1)).toThrow(/made\.onnx: its message would pass/);
    expect(() => layOutModel(model, 'd', 'auto', 100)).toThrow(OnnxFileError);
    const external = await readModel(input);
    expect(() => layOutModel(external, 'd', 'never', whole - 1)).toThrow(/Write it with external data\.$/);
  });

  test('a tensor without elements is no reason for a file', async () => {
    const model = inMemory(affineModel(4));
    const empty = encodeTensor('empty', 'float32', [0, 4], new Float64Array());
    const W = edit(empty, {
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: [{ key: 'location', value: 'nothing' }] as never,
    });
    const graph = edit(model.proto.graph as NonNullable<typeof model.proto.graph>, {
      initializer: [...weights(model), W],
    });
    const source = { name: 'nothing', byteLength: 0, read: () => new Uint8Array() };
    const externalData = new Map([['nothing', source]]);
    const written = await writeModel(
      { ...model, proto: edit(model.proto, { graph }), externalData },
      inFolder('e.onnx'),
    );
    expect(written.dataPath).toBeNull();
    expect(weights(await readModel(inFolder('e.onnx')))[2]?.dims).toEqual([0n, 4n]);
  });
});

test('the same model gives the same bytes, wherever and however often it is written', async () => {
  const model = await readModel(input);
  for (const name of ['a', 'b']) mkdirSync(inFolder(name));
  await writeModel(model, join(folder, 'a', 'm.onnx'));
  await writeModel(await readModel(join(folder, 'a', 'm.onnx')), join(folder, 'b', 'm.onnx'));
  for (const file of ['m.onnx', 'm.onnx.data']) {
    expect(Buffer.compare(readFileSync(join(folder, 'a', file)), readFileSync(join(folder, 'b', file)))).toBe(0);
  }
});

describe('what is there already', () => {
  test('is replaced by force only', async () => {
    const model = await readModel(input);
    await writeModel(model, inFolder('out.onnx'));
    await expect(writeModel(model, inFolder('out.onnx'))).rejects.toThrow(
      /out\.onnx: it exists already\..*give force: true/,
    );
    writeFileSync(inFolder('y.onnx.data'), 'mine');
    await expect(writeModel(model, inFolder('y.onnx'))).rejects.toThrow(/y\.onnx\.data: it exists already/);
    await writeModel(model, inFolder('out.onnx'), { force: true });
  });

  test('written again, leaves no orphan bytes and no orphan file', async () => {
    const model = await readModel(input);
    await writeModel(model, inFolder('out.onnx'));
    const first = contents();
    await writeModel(model, inFolder('out.onnx'), { force: true });
    expect(contents()).toEqual(first);
    await writeModel(model, inFolder('out.onnx'), { force: true, externalData: 'never' });
    expect(readdirSync(folder).sort()).toEqual(['in.onnx', 'in.onnx.data', 'out.onnx']);
  });

  test('beside it, but not read by it, stays', async () => {
    await writeModel(inMemory(affineModel(4)), inFolder('out.onnx'));
    writeFileSync(inFolder('out.onnx.data'), 'mine');
    await writeModel(inMemory(affineModel(8)), inFolder('out.onnx'), { force: true });
    expect(readFileSync(inFolder('out.onnx.data'), 'utf8')).toBe('mine');
    writeFileSync(inFolder('out.onnx'), 'no model');
    await writeModel(inMemory(affineModel(8)), inFolder('out.onnx'), { force: true });
    expect(readFileSync(inFolder('out.onnx.data'), 'utf8')).toBe('mine');
  });

  test('and is what the model was read from, stays in any case', async () => {
    const model = await readModel(input);
    linkSync(input, inFolder('hard.onnx'));
    linkSync(inFolder('in.onnx.data'), inFolder('trap.onnx.data'));
    const names = ['in.onnx', 'in.onnx.data', 'hard.onnx', 'trap.onnx'];
    if (process.platform !== 'win32') {
      symlinkSync('in.onnx', inFolder('soft.onnx'));
      names.push('soft.onnx');
    }
    for (const name of names) {
      await expect(writeModel(model, inFolder(name), { force: true })).rejects.toThrow(
        /a file that the model was read from/,
      );
    }
    // Its data is not the new model's, but still the old one's.
    await expect(
      writeModel(model, join(folder, '.', 'in.onnx'), { force: true, externalData: 'never' }),
    ).rejects.toThrow(OnnxFileError);
    expect(contents()).toMatchObject(inputFiles);
  });
});

describe('when it goes wrong, everything is as before', () => {
  test('an abort at any point', async () => {
    const model = await readModel(input);
    await writeModel(inMemory(affineModel(4)), inFolder('out.onnx'));
    const before = contents();
    for (const stopAt of [0, 1, 2]) {
      const controller = new AbortController();
      let calls = 0;
      const onProgress = () => {
        if (++calls === stopAt) controller.abort(new Error('enough'));
      };
      if (stopAt === 0) controller.abort(new Error('enough'));
      const options = { force: true, signal: controller.signal, onProgress };
      await expect(writeModel(model, inFolder('out.onnx'), options)).rejects.toThrow('enough');
      expect(contents()).toEqual(before);
    }
  });

  test('data that disappears or changes under way', async () => {
    const model = await readModel(input);
    writeFileSync(inFolder('in.onnx.data'), 'gone');
    const before = contents();
    await expect(writeModel(model, inFolder('out.onnx'))).rejects.toThrow(/in\.onnx\.data: it changed/);
    expect(contents()).toEqual(before);
  });

  test('a callback that throws', async () => {
    const fail = () => {
      throw new TypeError('of the caller');
    };
    await expect(writeModel(await readModel(input), inFolder('o.onnx'), { onProgress: fail })).rejects.toThrow(
      TypeError,
    );
    expect(contents()).toEqual(inputFiles);
  });

  test('a folder that is missing, or in the way', async () => {
    const model = inMemory(affineModel(4));
    mkdirSync(inFolder('taken.onnx'));
    await expect(writeModel(model, inFolder('no/out.onnx'))).rejects.toThrow(
      /there is no folder .*no\. Create it first/,
    );
    await expect(writeModel(model, inFolder('in.onnx/out.onnx'))).rejects.toThrow(/there is no folder/);
    await expect(writeModel(model, inFolder('taken.onnx'), { force: true })).rejects.toThrow(/it is a folder/);
  });

  test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('a folder without permission', async () => {
    mkdirSync(inFolder('locked'));
    chmodSync(inFolder('locked'), 0o500);
    const writing = writeModel(inMemory(affineModel(4)), inFolder('locked/out.onnx'));
    await expect(writing).rejects.toThrow(/cannot be written \(EACCES\)/);
  });
});

test('pieces of any size are written whole and in order', async () => {
  const mebibyte = 2 ** 20;
  const sizes = [1, 5 * mebibyte, 3, 4 * mebibyte, 4 * mebibyte, 7, 8 * mebibyte, 0, 9 * mebibyte + 1, mebibyte];
  const pieces = sizes.map((length, i) => new Uint8Array(length).fill(i + 1));
  let done = 0;
  const advance = (bytes: number) => {
    done += bytes;
  };
  await writePieces(nodeModules('pieces'), inFolder('pieces'), pieces, advance);
  expect(hash(readFileSync(inFolder('pieces')))).toBe(hash(Buffer.concat(pieces)));
  expect(done).toBe(sizes.reduce((sum, length) => sum + length));
});

test('progress reaches the size of both files', async () => {
  const onProgress = vi.fn<(progress: WriteProgress) => void>();
  const { byteLength } = await writeModel(await readModel(input), inFolder('out.onnx'), { onProgress });
  const seen = onProgress.mock.calls.map(([progress]) => progress);
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.every(({ total }) => total === byteLength)).toBe(true);
  expect(seen.map(({ done }) => done)).toEqual(seen.map(({ done }) => done).sort((a, b) => a - b));
  expect(seen.at(-1)?.done).toBe(byteLength);
});
