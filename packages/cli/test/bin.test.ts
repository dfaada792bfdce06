import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { onnxFixture } from './onnx-fixture.js';

const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url));

/** Runs the built command as a process; `interruptAt` sends it SIGINT when this is on its stderr. */
async function run(args: readonly string[], interruptAt?: string) {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
    if (interruptAt === undefined || !stderr.includes(interruptAt)) return;
    interruptAt = undefined;
    child.kill('SIGINT');
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}

describe.skipIf(!existsSync(bin))('the built command', () => {
  it('runs as a process, with its results on stdout and its exit codes', async () => {
    const { code, stdout, stderr } = await run([
      'count',
      '--model-dim',
      '768',
      '--heads',
      '12',
      '--layers',
      '12',
      '--no-bias',
      '--json',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout).kinds[0]).toMatchObject({ kind: 'mha', parameters: 28_311_552 });
    expect(await run(['inspect', 'no such model.onnx'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^mhe: no such model\.onnx[^\n]*\n$/),
    });
  });

  it.skipIf(process.platform === 'win32')('ends with code 130 on Ctrl-C and leaves nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mhe-bin-'));
    try {
      const model = onnxFixture('bert-two-layers-dynamo18-planted').path;
      const args = [
        'swap',
        model,
        '-o',
        join(folder, 'out.onnx'),
        '--synthetic-sequences',
        '20000',
        '--synthetic-length',
        '5',
      ];
      const { code, stdout, stderr } = await run(args, 'note:');
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stderr).toMatch(/mhe: interrupted; nothing was written\n$/);
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
