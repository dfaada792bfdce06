import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnxFixture } from './onnx-fixture.js';
import { runMhe } from './run-mhe.js';

const bert = onnxFixture('bert-two-layers-dynamo18-planted');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mhe-inspect-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('mhe inspect', () => {
  it('--json gives the sites that the exporter recorded, alone on stdout', async () => {
    const { code, stdout, stderr } = await runMhe(['inspect', bert.path, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { attention, skipped } = JSON.parse(stdout);
    expect(skipped).toEqual([]);
    expect(attention).toMatchObject(bert.sites.map(({ numHeads, headDim }, index) => ({ index, numHeads, headDim })));
  });

  it('shows a row for each site', async () => {
    const { code, stdout } = await runMhe(['inspect', bert.path]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/: 2 attention blocks$/m);
    // Three heads of 8, width 24: four projections of 24 x 24 with biases.
    expect(stdout).toMatch(/^0 .* self +3 +8 +24 .* additive +none +2,400$/m);
    expect(stdout).toMatch(/^1 .* self +3 +8 +24 .* additive +none +2,400$/m);
  });

  it('shows what is skipped, with the reason and the nodes', async () => {
    const slices = onnxFixture('head-slices-script13');
    const json = JSON.parse((await runMhe(['inspect', slices.path, '--json'])).stdout);
    const { code, stdout } = await runMhe(['inspect', slices.path]);
    expect(code).toBe(0);
    expect(json.skipped.length).toBeGreaterThan(0);
    for (const { name, reason, nodes } of json.skipped)
      expect(stdout).toContain(`  ${name}: ${reason} (${nodes.join(', ')})`);
  });

  it('says on stderr where the head count given had no effect', async () => {
    const { code, stdout, stderr } = await runMhe(['inspect', bert.path, '--heads', '3', '--json']);
    expect(code).toBe(0);
    expect(Object.keys(JSON.parse(stdout))).toEqual(['attention', 'skipped']);
    expect(stderr).toMatch(/^note: the number of heads that was given had no effect: [^\n]*\n$/);
    const none = await runMhe(['inspect', onnxFixture('decoy-classifier-script13').path, '--heads', '3']);
    expect(none.stderr).toMatch(/no effect: no input of the graph takes a head count/);
  });

  it('ends with code 1 and one line where the head count given is wrong', async () => {
    const { code, stdout, stderr } = await runMhe(['inspect', bert.path, '--heads', '7']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^mhe: [^\n]*7[^\n]*\n$/);
  });
});

describe('a file that is no model ends with code 1 and one line that says what it is', () => {
  it.each([
    ['pointer.onnx', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n', /Git LFS pointer/],
    ['page.onnx', '<!DOCTYPE html><html></html>', /web page/],
    ['empty.onnx', '', /empty/],
    ['text.onnx', 'hello', /not|no /],
    ['missing.onnx', null, /missing\.onnx/],
    ['.', null, /folder/],
  ])('%s', async (name, content, message) => {
    const path = join(folder, name);
    if (content !== null) await writeFile(path, content);
    const { code, stdout, stderr } = await runMhe(['inspect', path]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^mhe: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });

  it('prints the stack where MHE_DEBUG is set', async () => {
    process.env.MHE_DEBUG = '1';
    try {
      const { code, stderr } = await runMhe(['inspect', join(folder, 'missing.onnx')]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/\n +at /);
    } finally {
      delete process.env.MHE_DEBUG;
    }
  });
});
