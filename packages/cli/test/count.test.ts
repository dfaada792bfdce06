import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { runMhe } from './run-mhe.js';

const sizes = ['--model-dim', '768', '--heads', '12'];

async function kindsOf(...args: string[]): Promise<Record<string, Record<string, unknown>>> {
  const { code, stdout } = await runMhe(['count', ...args, '--json']);
  expect(code).toBe(0);
  const { kinds } = JSON.parse(stdout) as { kinds: { kind: string }[] };
  return Object.fromEntries(kinds.map((entry) => [entry.kind, entry as object as Record<string, unknown>]));
}

const totals = (kinds: Record<string, Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(kinds).map(([kind, entry]) => [kind, entry.parameters]));

describe('mhe count --json', () => {
  it('gives the parameters of BERT base and of the paper, section 3', async () => {
    expect(totals(await kindsOf(...sizes, '--layers', '12', '--no-bias')).mha).toBe(28_311_552);

    const [n, d] = [12, 64];
    expect(totals(await kindsOf(...sizes, '--no-bias', '--no-output'))).toEqual({
      mha: 3 * n ** 2 * d ** 2,
      sha: 3 * n * d ** 2,
      mqa: n * d * (n * d + 2 * d),
      gqa: n * d * (n * d + 2 * 3 * d),
      'mhe-add': 3 * n * d ** 2 + 3 * n * d,
      'mhe-mul': 3 * n * d ** 2 + 3 * n * d,
    });
  });

  it('names the kinds in order, with the total right after the name', async () => {
    const { stdout } = await runMhe(['count', ...sizes, '--layers', '12', '--no-bias', '--json']);
    expect(stdout).toMatch(/^\{"kinds":\[\{"kind":"mha","parameters":28311552,/);
    expect(stdout.match(/\n/g)).toHaveLength(1);
    const { kinds } = JSON.parse(stdout) as { kinds: { kind: string }[] };
    expect(kinds.map(({ kind }) => kind)).toEqual(['mha', 'sha', 'mqa', 'gqa', 'mhe-add', 'mhe-mul']);
  });

  it('counts groups, key and value heads, head size, biases and layers as asked', async () => {
    const kinds = await kindsOf(
      ...['--model-dim', '100', '--heads', '8', '--head-dim', '20', '--layers', '3', '--kv-heads', '4'],
      ...['--query-key-groups', '2', '--value-groups', 'heads'],
    );
    const [m, n, d] = [100, 8, 20];
    const output = n * d * m + m;
    expect(kinds.mha).toMatchObject({ parameters: 3 * (3 * (m + 1) * n * d + output) });
    expect(kinds.gqa).toMatchObject({ numKeyValueHeads: 4, parameters: 3 * ((m + 1) * (n + 2 * 4) * d + output) });
    expect(kinds['mhe-mul']).toMatchObject({
      groups: { queryKey: 2, value: 'heads' },
      parameters: 3 * ((m + 1) * (2 * 2 + n) * d + 3 * n * d + output),
    });
  });

  it('has parts that sum to the total, and the parts of a sequence only where its length is given', async () => {
    const sum = (parts: unknown) => Object.values(parts as Record<string, number>).reduce((a, b) => a + b, 0);
    for (const entry of Object.values(await kindsOf(...sizes))) {
      expect(sum(entry.parts)).toBe(entry.parameters);
      expect(entry).not.toHaveProperty('multiplyAdds');
    }
    for (const entry of Object.values(await kindsOf(...sizes, '--sequence-length', '128', '--no-output'))) {
      const { total, exponentials: _, ...parts } = entry.multiplyAdds as Record<string, number>;
      expect(sum(parts)).toBe(total);
      expect(parts.output).toBe(0);
    }
  });

  it('takes bytes from the number format', async () => {
    const kinds = await kindsOf(...sizes, '--no-bias', '--dtype', 'float16', '--sequence-length', '512');
    expect(kinds.mha).toMatchObject({
      bytes: 2 * 4 * 768 * 768,
      cacheBytesPerToken: 2 * 2 * 768,
      scoreBytes: 2 * 12 * 512 * 512,
    });
    expect(kinds['mhe-mul']).toMatchObject({ cacheBytesPerToken: 2 * 2 * 64 });
  });

  it('refuses a count that JSON could not hold exactly', async () => {
    const run = await runMhe(['count', '--model-dim', '9000000000', '--heads', '1', '--json']);
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toMatch(/too large to be an exact number/);
  });
});

describe('mhe count for people', () => {
  const args = ['count', ...sizes, '--layers', '12', '--no-bias', '--sequence-length', '512'];

  it('groups digits, names units, and states each difference against its reference', async () => {
    const { code, stdout, stderr } = await runMhe(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('12 layers of width 768, 12 heads of 64, no biases, output projection, float32');
    expect(stdout).toMatch(/^mha +21,233,664 +0 +0 +7,077,888 +28,311,552 +19,464,192$/m);
    expect(stdout).toMatch(/^mhe-mul +1,769,472 +0 +27,648 +7,077,888 +8,875,008 +19,436,544 +27,648$/m);
    expect(stdout).toMatch(/^mha +113 MB +73\.7 kB +[\d.]+ G +12\.6 MB$/m);
  });

  it('has colours on a terminal only, and the same text with them', async () => {
    const piped = await runMhe(args);
    const onTerminal = await runMhe(args, { isTTY: true });
    expect(piped.stdout).not.toContain('\x1b');
    expect(onTerminal.stdout).toContain('\x1b[');
    expect(stripVTControlCharacters(onTerminal.stdout)).toBe(piped.stdout);
  });
});

describe('mistakes end with code 1 and one line that names the option', () => {
  it.each([
    [['count'], /--model-dim <n>' not specified/],
    [
      ['count', '--model-dim', '768', '--heads', '1.5'],
      /--heads <n>' argument '1\.5' is invalid\. A whole number of at least 1/,
    ],
    [['count', '--model-dim', '0', '--heads', '1'], /--model-dim <n>' argument '0' is invalid/],
    [['count', '--model-dim', '768', '--heads', '7'], /768 is not a multiple of numHeads 7/],
    [['count', ...sizes, '--groups', '13'], /13, more than the 12 heads/],
    [['count', ...sizes, '--groups', 'some'], /--groups <n>' argument 'some' is invalid/],
    [
      ['count', ...sizes, '--groups', '1', '--value-groups', '2'],
      /--groups <n>' cannot be used with option '--value-groups <n>'/,
    ],
    [['count', ...sizes, '--kv-heads', '5'], /numKeyValueHeads 5 does not divide/],
    [['count', ...sizes, '--dtype', 'float31'], /float31.*Allowed choices are float64, float32/],
    [['count', ...sizes, '--groops', '1'], /unknown option '--groops' \(Did you mean --groups\?\)/],
    [['count', ...sizes, 'extra'], /too many arguments/],
    [['cuont', ...sizes], /unknown command 'cuont' \(Did you mean count\?\)/],
  ])('mhe %j', async (args, message) => {
    const { code, stdout, stderr } = await runMhe(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^mhe: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });
});

describe('help and version', () => {
  it.each(['count', 'inspect', 'swap'])('mhe %s --help has examples', async (command) => {
    const { code, stdout, stderr } = await runMhe([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Usage: mhe ${command}`);
    expect(stdout).toContain(`$ mhe ${command} `);
    expect(stdout).toContain('--json');
  });

  it("mhe --version is the package's", async () => {
    const { code, stdout } = await runMhe(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
  });

  it('mhe alone prints the help to stderr', async () => {
    const { code, stdout, stderr } = await runMhe([]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('Usage: mhe');
  });
});
