import { TensorProto_DataLocation, TensorProto_DataType } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../src/file/byte-source.js';
import { edit } from '../src/graph/edit.js';
import type { OnnxModel } from '../src/graph/model.js';
import { type HostTensor, type HostTensors, hostNumbers } from '../src/run/host-tensor.js';
import { importRuntime } from '../src/run/import-runtime.js';
import { inTurn } from '../src/run/run-queue.js';
import { openSession, withSession } from '../src/run/session.js';
import { sessionModel } from '../src/run/session-model.js';
import { encodeTensor } from '../src/tensor/encode-tensor.js';
import { floats, graph, model, node, value } from './graph-builder.js';
import { runtimes } from './run-runtimes.js';

const type = TensorProto_DataType;
const vector = (...data: number[]): HostTensor => ({
  dtype: 'float32',
  dims: [data.length],
  data: Float32Array.from(data),
});
const doubling = model(
  graph({
    node: [node('Add', ['x', 'x'], ['y']), node('Neg', ['x'], ['z'])],
    input: [value('x', type.FLOAT, ['n'])],
    output: [value('y', type.FLOAT, ['n']), value('z', type.FLOAT, ['n'])],
  }),
);

/** `y = x w` with `w` of `size x size`, all `1 / size`: the mean of `x`, `size` times. */
function averaging(size: number, layers = 1): OnnxModel {
  const weights = Array.from({ length: layers }, (_, i) =>
    encodeTensor(`w${i}`, 'float32', [size, size], new Float64Array(size * size).fill(1 / size)),
  );
  const nodes = weights.map((_, i) => node('MatMul', [i === 0 ? 'x' : `h${i - 1}`, `w${i}`], [`h${i}`]));
  return model(
    graph({
      node: nodes,
      input: [value('x', type.FLOAT, ['n', size])],
      output: [value(`h${layers - 1}`, type.FLOAT)],
      initializer: weights,
    }),
  );
}

describe.each(runtimes)('a session of onnxruntime-%s', (_, runtime) => {
  it('returns the outputs asked for, as host tensors', async () => {
    await withSession(doubling, { runtime }, async (session) => {
      expect(session.inputNames).toEqual(['x']);
      expect(session.outputNames).toEqual(['y', 'z']);
      expect(await session.run({ x: vector(1, -2) })).toEqual({ y: vector(2, -4), z: vector(-1, 2) });
      expect(await session.run({ x: vector(3), other: vector(1) }, ['z'])).toEqual({ z: vector(-3) });
    });
  });

  it('takes and gives every element type', async () => {
    const tensors: HostTensor[] = [
      { dtype: 'float32', dims: [2], data: Float32Array.of(0.5, -0) },
      { dtype: 'float64', dims: [2], data: Float64Array.of(0.1, -1e300) },
      { dtype: 'float16', dims: [2], data: Uint16Array.of(0x3c00, 0xb800) },
      { dtype: 'int8', dims: [2], data: Int8Array.of(-128, 127) },
      { dtype: 'uint8', dims: [2], data: Uint8Array.of(0, 255) },
      { dtype: 'int16', dims: [2], data: Int16Array.of(-32768, 1) },
      { dtype: 'uint16', dims: [2], data: Uint16Array.of(0, 65535) },
      { dtype: 'int32', dims: [1, 2], data: Int32Array.of(-(2 ** 31), 1) },
      { dtype: 'uint32', dims: [2], data: Uint32Array.of(0, 2 ** 32 - 1) },
      { dtype: 'int64', dims: [], data: BigInt64Array.of(2n ** 63n - 1n) },
      { dtype: 'uint64', dims: [1], data: BigUint64Array.of(2n ** 64n - 1n) },
      { dtype: 'bool', dims: [2], data: Uint8Array.of(1, 0) },
      { dtype: 'string', dims: [2], data: ['a', 'ß'] },
    ];
    const elemTypes = { ...type, FLOAT32: type.FLOAT, FLOAT64: type.DOUBLE };
    for (const tensor of tensors) {
      const elemType = elemTypes[tensor.dtype.toUpperCase() as keyof typeof elemTypes];
      const echo = model(
        graph({ node: [node('Identity', ['x'], ['y'])], input: [value('x', elemType)], output: [value('y')] }),
      );
      expect(await withSession(echo, { runtime }, (session) => session.run({ x: tensor }))).toEqual({ y: tensor });
    }
  });

  it('loads large weights beside the message, and external data', async () => {
    const inside = averaging(200);
    const [weight] = inside.proto.graph?.initializer ?? [];
    if (weight === undefined) throw new Error('no weight');
    const padded = new Uint8Array([7, 7, 7, ...weight.rawData, 7]);
    const outside: OnnxModel = {
      ...inside,
      proto: edit(inside.proto, {
        graph: edit(inside.proto.graph ?? graph({}), {
          initializer: [
            edit(weight, {
              rawData: new Uint8Array(),
              dataLocation: TensorProto_DataLocation.EXTERNAL,
              externalData: [
                { $typeName: 'onnx.StringStringEntryProto', key: 'location', value: 'weights.bin' },
                { $typeName: 'onnx.StringStringEntryProto', key: 'offset', value: '3' },
                { $typeName: 'onnx.StringStringEntryProto', key: 'length', value: '160000' },
              ],
            }),
          ],
        }),
      }),
      externalData: new Map([['weights.bin', bytesSource(padded, 'weights.bin')]]),
    };
    expect(sessionModel(inside).bytes.byteLength).toBeLessThan(1000);
    const x: HostTensor = { dtype: 'float32', dims: [1, 200], data: new Float32Array(200).map((_, i) => i % 3) };
    const mean = hostNumbers(x).reduce((sum, item) => sum + item, 0) / 200;
    for (const variant of [inside, outside]) {
      const { h0 } = await withSession(variant, { runtime }, (session) => session.run({ x }));
      for (const item of hostNumbers(h0 as HostTensor)) expect(item).toBeCloseTo(mean, 5);
    }
    expect(weight.rawData.byteLength).toBe(160000);
  });

  it('loads large weights of nested graphs', async () => {
    const size = 20_000;
    const branch = (name: string, filling: number) =>
      graph({
        node: [node('Add', ['x', `${name}_w`], [name])],
        output: [value(name, type.FLOAT)],
        initializer: [encodeTensor(`${name}_w`, 'float32', [size], new Float64Array(size).fill(filling))],
      });
    const nested = model(
      graph({
        node: [node('If', ['yes'], ['y'], { then_branch: branch('then', 2), else_branch: branch('else', 3) })],
        input: [value('x', type.FLOAT, [size]), value('yes', type.BOOL, [])],
        output: [value('y')],
      }),
    );
    const feeds: HostTensors = {
      x: { dtype: 'float32', dims: [size], data: new Float32Array(size).fill(1) },
      yes: { dtype: 'bool', dims: [], data: Buffer.from([0]) },
    };
    const { y } = await withSession(nested, { runtime }, (session) => session.run(feeds));
    expect(hostNumbers(y as HostTensor)).toEqual(new Float64Array(size).fill(4));
  });

  it('says in one line which model and node failed', async () => {
    const broken = model(
      graph({
        node: [node('MatMul', ['x', 'w'], ['y'])],
        input: [value('x', type.FLOAT)],
        output: [value('y')],
        initializer: [floats('w', [2, 2], [1, 2, 3, 4])],
      }),
    );
    await withSession(broken, { runtime }, async (session) => {
      const failure = session.run({ x: { dtype: 'float32', dims: [1, 3], data: new Float32Array(3) } });
      await expect(failure).rejects.toThrow(/^ONNX Runtime cannot run test\.onnx: .*MatMul.*node_y.*$/);
      await expect(session.run({})).rejects.toThrow('test.onnx needs a feed for x.');
      const after = await session.run({ x: { dtype: 'float32', dims: [1, 2], data: Float32Array.of(1, 0) } });
      expect([...hostNumbers(after.y as HostTensor)]).toEqual([1, 2]);
    });
    const unknown = model(
      graph({ node: [node('Nonsense', ['x'], ['y'])], input: [value('x', type.FLOAT)], output: [value('y')] }),
    );
    await expect(openSession(unknown, { runtime })).rejects.toThrow(
      /^ONNX Runtime cannot load test\.onnx: .*Nonsense.*$/,
    );
  });

  it('finishes the runs asked for before it is released, and none after', async () => {
    const session = await openSession(doubling, { runtime });
    const runs = [1, 2, 3].map((item) => session.run({ x: vector(item) }, ['y']));
    await Promise.all([session.release(), session.release()]);
    await session.release();
    expect(await Promise.all(runs)).toEqual([{ y: vector(2) }, { y: vector(4) }, { y: vector(6) }]);
    await expect(session.run({ x: vector(1) })).rejects.toThrow('The session of test.onnx is released');
  });

  it('releases the session also where its use fails', async () => {
    let leaked: Awaited<ReturnType<typeof openSession>> | undefined;
    const use = withSession(doubling, { runtime }, async (session) => {
      leaked = session;
      throw new Error('a bug in the caller');
    });
    await expect(use).rejects.toThrow('a bug in the caller');
    await expect(leaked?.run({ x: vector(1) })).rejects.toThrow('is released');
  });

  it('takes no more memory from cycle to cycle', async () => {
    const big = averaging(1024, 4);
    const x: HostTensor = { dtype: 'float32', dims: [64, 1024], data: new Float32Array(64 * 1024) };
    const cycle = () => withSession(big, { runtime }, (session) => session.run({ x }));
    for (let i = 0; i < 8; i++) await cycle();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 20; i++) await cycle();
    // A session holds 16 MiB of weights: one that stayed behind in every cycle would take 320 MiB.
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  });
});

describe('inTurn', () => {
  it('starts a task when those before it have ended, also by failing', async () => {
    const log: string[] = [];
    const task =
      (name: string, fails = false) =>
      async () => {
        log.push(`${name} starts`);
        await new Promise((resolve) => setTimeout(resolve, 2));
        log.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const owner = {};
    const results = await Promise.allSettled([inTurn(owner, task('a', true)), inTurn(owner, task('b'))]);
    expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends']);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled']);
  });
});

it('imports the native runtime in Node', async () => {
  const runtime = await importRuntime();
  expect(runtime.InferenceSession).toBe(runtimes[0]?.[1].InferenceSession);
});
