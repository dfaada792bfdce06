import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as library from '@huggingface/transformers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { texts } from '../../transformers/test/library-under-test.js';
import { type Answer, withHub } from '../../transformers/test/local-hub.js';
import { type RunOptions, runMhe } from './run-mhe.js';

let folder: string;
let data: string;
let output: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mhe-cli-hub-'));
  data = join(folder, 'texts.txt');
  output = join(folder, 'out');
  await writeFile(data, texts(6).join('\n'));
  Object.assign(library.env, { useFSCache: true, cacheDir: join(folder, 'cache') });
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs the command where the hub is one on this machine. */
const run = (args: readonly string[], options: RunOptions & { answer?: Answer } = {}) =>
  withHub(library, async ({ asked }) => ({ ...(await runMhe(args, options)), asked }), options.answer);

const cached = async () =>
  (await readdir(join(folder, 'cache'), { recursive: true })).filter((file) => /\.\w+$/.test(file)).sort();

describe('an id of the hub', () => {
  it('is inspected as a folder is', async () => {
    const { code, stdout, stderr } = await run(['inspect', 'someone/bert', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { files } = JSON.parse(stdout);
    expect(Object.keys(files)).toEqual(['onnx/model.onnx']);
    expect(files['onnx/model.onnx']).toMatchObject({ cachePerToken: 0, parameters: expect.any(Number) });
    expect(files['onnx/model.onnx'].attention).toHaveLength(2);
  });

  it('is downloaded in the revision asked for, once, and swapped into a folder', async () => {
    const args = ['swap', 'someone/bert', '-o', output, '--data', data, '--revision', 'v1'];
    const { code, stdout, stderr, asked } = await run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^someone\/bert -> .*out \([\d.]+ kB\)$/m);
    expect(asked).toContain('/someone/bert/resolve/v1/onnx/model.onnx');
    expect((await readdir(output)).sort()).toEqual([
      'README.md',
      'config.json',
      'mhe.json',
      'onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(JSON.parse(await readFile(join(output, 'mhe.json'), 'utf8'))).toMatchObject({
      source: 'someone/bert',
      revision: 'v1',
    });
    const again = await run([...args, '--force']);
    expect(again.code).toBe(0);
    expect(again.asked.filter((path) => path.endsWith('.onnx'))).toEqual([]);
  });

  it('gives the files asked for, out of a cache of the own', async () => {
    const own = join(folder, 'own');
    const files = 'text_model,vision_model';
    const { stdout } = await run(['inspect', 'someone/clip', '--files', files, '--cache-dir', own, '--json']);
    expect(Object.keys(JSON.parse(stdout).files)).toEqual(['onnx/text_model.onnx', 'onnx/vision_model.onnx']);
    expect(await readdir(folder)).not.toContain('cache');
    expect(await readdir(join(own, 'someone/clip/onnx'))).toHaveLength(2);
  });

  it('shows how far its download is, on a terminal', async () => {
    const { stderr } = await run(['inspect', 'someone/roberta'], { isTTY: true });
    expect(stderr).toMatch(/\d+ % {2}downloading \S+/);
  });

  it('can be interrupted, and leaves nothing half there', async () => {
    const answer: Answer = (path) => (path.endsWith('model.onnx') ? 'stall' : null);
    const args = ['swap', 'someone/mpnet', '-o', output, '--data', data];
    const { code, stdout, stderr } = await run(args, { isTTY: true, interruptAt: 'onnx/model.onnx', answer });
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(/interrupted; nothing was written\n$/);
    expect(await cached()).toEqual([join('someone', 'mpnet', 'config.json')]);
    expect((await run(args)).code).toBe(0);
  });

  it('gives way to a folder of that name', async () => {
    const { stdout, stderr } = await run(['inspect', 'packages/transformers/test/fixtures/vit', '--revision', 'v1']);
    expect(stdout).toMatch(/^packages\/transformers\/test\/fixtures\/vit\/onnx\/model\.onnx: 2 attention blocks/);
    expect(stderr).toMatch(/^note: --revision has no effect on .*vit; it is for models of the hub$/m);
  });

  it.each<[string, string, Answer, RegExp]>([
    [
      'none',
      'someone/none',
      () => null,
      /someone\/none: it has no config\.json \(http\S+\), or there is no such model\./,
    ],
    ['gated', 'gated/bert', () => ({ status: 401 }), /gated\/bert: \S+ may not be read: .* set HF_TOKEN\./],
    [
      'without fp32',
      'someone/distilbert',
      (path) => (path.endsWith('.onnx') ? { status: 404 } : null),
      /someone\/distilbert: it has no onnx\/model\.onnx \(http\S+\)\. The swap needs the fp32 or fp16 file/,
    ],
  ])('that is %s is told in one line, with nothing written', async (_, id, answer, says) => {
    const { code, stdout, stderr } = await run(['swap', id, '-o', output, '--data', data], { answer });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/There is no file or folder of that name here either\.$/m);
    expect(stderr.match(/^mhe: /gm)).toHaveLength(1);
    expect((await readdir(folder)).includes('out')).toBe(false);
  });

  it('without a network is told in one line', async () => {
    Object.assign(library.env, { allowLocalModels: false, allowRemoteModels: true });
    process.env.HF_ENDPOINT = 'http://127.0.0.1:1';
    const { code, stderr } = await runMhe(['inspect', 'someone/bert']);
    delete process.env.HF_ENDPOINT;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^mhe: someone\/bert: http:\/\/127\.0\.0\.1:1\/ cannot be reached \(.+\)\. Check the network/,
    );
  });

  it('is asked for only where the output can be written', async () => {
    await writeFile(output, 'a file');
    const { code, stderr, asked } = await run(['swap', 'someone/bert', '-o', output, '--data', data]);
    expect({ code, asked }).toEqual({ code: 1, asked: [] });
    expect(stderr).toMatch(/out: it is a file\./);
  });
});
