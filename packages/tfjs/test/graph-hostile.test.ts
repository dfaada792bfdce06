// Damaged and malicious models: a clear error in one line, soon, and without much memory.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Feed, inspect, readModel, swap, TfjsFileError } from '../src/index.js';
import { useBackend } from './backends.js';
import { fixtureModel, fixturePath, inputsOf } from './graph-fixture.js';

type Json = Record<string, unknown>;
interface ModelJson extends Json {
  modelTopology: { node: { name: string; op: string; input?: string[]; attr?: Json }[] };
  weightsManifest: { paths: unknown[]; weights: Json[] }[];
}

const temporary = mkdtempSync(join(tmpdir(), 'mhe-graph-hostile-'));
const original = readFileSync(fixturePath('unpacked'), 'utf8');
const shard = readFileSync(join(dirname(fixturePath('unpacked')), 'group1-shard1of1.bin'));
let count = 0;

beforeAll(() => useBackend('cpu'));
afterAll(() => rmSync(temporary, { recursive: true }));

/** A folder with this text as its model.json, and the weights of the fixture. */
function folderOf(text: string, weights: Uint8Array | null = shard): string {
  const folder = join(temporary, String(count++));
  mkdirSync(folder);
  writeFileSync(join(folder, 'model.json'), text);
  if (weights) writeFileSync(join(folder, 'group1-shard1of1.bin'), weights);
  return folder;
}

function changed(change: (json: ModelJson) => void): string {
  const json = JSON.parse(original) as ModelJson;
  change(json);
  return JSON.stringify(json);
}

/** What reading and then looking at a model ends with: one line of a file's error, found with little memory. */
async function refusal(text: string, weights: Uint8Array | null = shard): Promise<string> {
  const folder = folderOf(text, weights);
  const memory = process.memoryUsage().rss;
  const error = await readModel(folder)
    .then((model) => inspect(model))
    .then(
      () => expect.fail('it was taken'),
      (reason: unknown) => reason,
    );
  expect(process.memoryUsage().rss - memory).toBeLessThan(3e8);
  expect(error).toBeInstanceOf(TfjsFileError);
  const { message } = error as Error;
  expect(message).not.toMatch(/\n/);
  expect(message.length).toBeLessThan(600);
  return message;
}

describe('weight files', () => {
  const named = (path: unknown) =>
    changed(({ weightsManifest: [group] }) => {
      if (group) group.paths = [path];
    });

  it.each([
    ...['../secret.bin', 'a/../../secret.bin', '/etc/passwd', '..\\secret.bin', 'C:\\secret.bin', 'C:secret.bin'],
    ...['file:///etc/passwd', 'https://example.com/w.bin', 'a\0b.bin', '', '.', '\\\\host\\share\\w.bin'],
  ])('are not looked for outside the folder: %j', async (path) => {
    expect(await refusal(named(path))).toMatch(/names the weight file ".*", which is not in its own folder/);
  });

  it.each([[1], [null], [{}], [['a.bin']]])('have names that are text, not %j', async (path) => {
    expect(await refusal(named(path))).toMatch(/which is not in its own folder/);
  });

  it('may lie in a folder below', async () => {
    const folder = folderOf(named('./weights/../weights/w.bin'), null);
    mkdirSync(join(folder, 'weights'));
    writeFileSync(join(folder, 'weights', 'w.bin'), shard);
    expect((await readModel(folder)).weights.length).toBeGreaterThan(0);
  });

  it('are missed, by name', async () => {
    expect(await refusal(original, null)).toMatch(/its weight file ".*group1-shard1of1\.bin" does not exist/);
  });

  it('have as many bytes as the weights', async () => {
    const wrong = /hold \d+ bytes, but the weights it lists take \d+\. Download the model again/;
    expect(await refusal(original, shard.subarray(0, -1))).toMatch(wrong);
    expect(await refusal(original, Buffer.concat([shard, Buffer.of(0)]))).toMatch(wrong);
    expect(await refusal(original, new Uint8Array())).toMatch(wrong);
  });

  it('are told from what a failed download leaves', async () => {
    expect(await refusal(original, Buffer.from('<!DOCTYPE html><html></html>'))).toMatch(/is a web page/);
    const pointer = Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n');
    expect(await refusal(original, pointer)).toMatch(/is a Git LFS pointer/);
  });
});

describe('the list of weights', () => {
  const weight = (change: Json) =>
    changed(({ weightsManifest: [group] }) => {
      Object.assign(group?.weights[0] ?? {}, change);
    });

  it.each([
    [[1e15]],
    [[2 ** 31, 2 ** 31]],
    [[2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1]],
    [[4e9, 1e-9]],
    [[-1]],
    [[1.5]],
    [['12']],
    [null],
    ['12'],
    [{ length: 1e9 }],
  ])('holds no shape like %j', async (shape) => {
    expect(await refusal(weight({ shape }))).toMatch(/the weight ".*" (has the shape|of \[.*\] is too large)/);
  });

  it('cannot ask for memory that the files do not fill', async () => {
    expect(await refusal(weight({ shape: [1e9] }))).toMatch(/hold \d+ bytes, but the weights it lists take \d+/);
    // Strings carry their own lengths: 4 GiB announced in 8 bytes.
    const strings = weight({ dtype: 'string', shape: [1e6] });
    expect(await refusal(strings)).toMatch(/takes Infinity bytes|takes \d+ bytes, and \d+ are left|hold \d+ bytes/);
  });

  it.each([{ dtype: 'float128' }, { dtype: '__proto__' }, { dtype: 'constructor' }, { dtype: 7 }])(
    'holds no type like %j',
    async (change) => {
      expect(await refusal(weight(change))).toMatch(/is of the unknown type/);
    },
  );

  it('says how weights are quantised', async () => {
    expect(await refusal(weight({ quantization: { dtype: 'uint4' } }))).toMatch(/is quantised to "uint4"/);
    const without = { quantization: { dtype: 'uint8', scale: null, min: 0 } };
    expect(await refusal(weight(without))).toMatch(/is quantised to uint8 without a scale and a min/);
  });

  it('names every weight, once', async () => {
    expect(await refusal(weight({ name: undefined }))).toMatch(/a weight of its list has no name/);
    const twice = changed(({ weightsManifest: [group] }) => group?.weights.push(group.weights[0] as Json));
    expect(await refusal(twice)).toMatch(/is listed twice/);
  });

  it.each([[{}], [[null]], [[{}]], [[{ paths: [], weights: {} }]], ['x']])('is no %j', async (weightsManifest) => {
    expect(await refusal(JSON.stringify({ ...JSON.parse(original), weightsManifest }))).toMatch(/weightsManifest/);
  });
});

describe('the graph', () => {
  const nodes = (change: (nodes: ModelJson['modelTopology']['node']) => void) =>
    changed(({ modelTopology }) => change(modelTopology.node));
  const softmax = (list: ModelJson['modelTopology']['node']) => list.find(({ op }) => op === 'Softmax');

  it('has no nodes that wait for themselves', async () => {
    const cycle = nodes((list) => {
      const first = list.find(({ op }) => op === 'Reshape');
      if (first?.input) first.input[0] = softmax(list)?.name ?? '';
    });
    expect(await refusal(cycle)).toMatch(/the node ".*" waits for itself/);
  });

  it('is sorted without a stack that overflows', async () => {
    const long = nodes((list) => {
      const name = softmax(list)?.name ?? '';
      const chain = Array.from({ length: 3e4 }, (_, i) => ({ name: `n${i}`, op: 'Identity', input: [`n${i + 1}`] }));
      list.unshift(...chain, { name: `n${3e4}`, op: 'Identity', input: [name] });
    });
    expect((await inspect(await readModel(folderOf(long)))).attention).toHaveLength(1);
  });

  it('has nodes of one name each that read what there is', async () => {
    const twice = nodes((list) => list.push(list[0] as (typeof list)[0]));
    expect(await refusal(twice)).toMatch(/two nodes are called/);
    const missing = nodes((list) => softmax(list)?.input?.splice(0, 1, 'nowhere'));
    expect(await refusal(missing)).toMatch(/reads "nowhere", which does not exist/);
  });

  it.each([
    [null],
    [1],
    [{}],
    [{ name: 'x' }],
    [{ op: 'x' }],
    [{ name: 'new', op: 'x', input: {} }],
    [{ name: 'new', op: 'x', input: [1] }],
  ])('has no node like %j', async (node) => {
    const text = nodes((list) => list.push(node as unknown as (typeof list)[0]));
    expect(await refusal(text)).toMatch(/a node of its graph/);
  });

  it.each([[{ node: {} }], [{ node: null }], [{}], [[]], [null], ['x']])('is no %j', async (modelTopology) => {
    expect(await refusal(JSON.stringify({ ...JSON.parse(original), modelTopology }))).toMatch(/topology/i);
  });

  it('does not make names act as code', async () => {
    const model = await readModel(
      folderOf(
        nodes((list) => {
          const node = softmax(list);
          if (node) node.op = '__proto__';
          list.push({ name: '__proto__', op: 'constructor', input: [node?.name ?? ''] });
        }),
      ),
    );
    expect((await inspect(model)).attention).toEqual([]);
  });
});

describe('the text', () => {
  it('is refused wherever it is cut', async () => {
    for (let length = 0; length < original.length; length += 97)
      expect(await refusal(original.slice(0, length))).toMatch(/cut short or damaged|is empty|is not JSON/);
  });

  it('gives another model or a clear error where it is changed at random', async () => {
    const text = readFileSync(fixturePath('decoy-classifier'), 'latin1');
    const weights = readFileSync(join(dirname(fixturePath('decoy-classifier')), 'group1-shard1of1.bin'));
    const change = fc.record({ at: fc.nat(text.length - 1), character: fc.constantFrom(...'0123456789{}[]",:-.ex') });
    const folder = folderOf(text, weights);
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const characters = [...text];
        for (const { at, character } of changes) characters[at] = character;
        writeFileSync(join(folder, 'model.json'), characters.join(''));
        const error = await readModel(folder)
          .then((model) => inspect(model))
          .catch((reason: unknown) => reason);
        if (error instanceof Error) expect(error).toBeInstanceOf(TfjsFileError);
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it('is told from other files', async () => {
    expect(await refusal('<html></html>')).toMatch(/is a web page/);
    expect(await refusal('version https://git-lfs.github.com/spec/v1\n')).toMatch(/Git LFS pointer/);
    expect(await refusal('[1]')).toMatch(/has no "modelTopology"/);
    expect(await refusal('{"a": 1}')).toMatch(/has no "modelTopology"/);
  });
});

it('a weight that does not fit the graph ends the swap with the reason, not the process', async () => {
  const model = await fixtureModel('unpacked');
  // The packed projection loses a column of each row.
  const weights = model.weights.map((weight) =>
    String(weight.spec.shape) === '12,36'
      ? { spec: { ...weight.spec, shape: [12, 35] }, bytes: weight.bytes.slice(0, 12 * 35 * 4) }
      : weight,
  );
  const broken = model.with({ weights });
  const outcome = await swap(broken, { calibration: inputsOf('unpacked') as readonly Feed[] }).then(
    ({ report }) => report.skipped.map(({ reason }) => reason).join(),
    (error: Error) => error.message,
  );
  expect(outcome).toMatch(/size|shape|cannot run/);
});
