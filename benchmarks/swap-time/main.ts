// Swaps encoders of usual sizes with the command and measures time and memory. See ../README.md.
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '@mhe/core';
import { writeModel } from '@mhe/onnx';
import { runMhe } from '../command/run-mhe.js';
import { describeMachine } from '../machine/describe-machine.js';
import { markdownTable } from '../report/markdown-table.js';
import { saveJson } from '../report/save-json.js';
import { type EncoderSizes, randomEncoder, VOCABULARY } from './encoder.js';

const { values: options } = parseArgs({
  options: {
    /** Tokens of a calibration sequence. */
    tokens: { type: 'string', default: '32' },
    /** Part of the name of the encoders to swap. */
    encoder: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});

const SEQUENCES = 64;
const encoders: readonly (EncoderSizes & { readonly secondsAllowed: number })[] = [
  { name: '6 layers, 384 wide', numLayers: 6, modelDim: 384, numHeads: 12, secondsAllowed: 30 },
  { name: '12 layers, 768 wide', numLayers: 12, modelDim: 768, numHeads: 12, secondsAllowed: 120 },
];
const settings = [
  { name: '1 / 1 MUL', args: ['--groups', '1'] },
  { name: '1 / n MUL', args: ['--query-key-groups', '1', '--value-groups', 'heads'] },
  { name: '1 / 1 ADD', args: ['--groups', '1', '--embedding', 'add'] },
];

const machine = describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'mhe-swap-time-'));
const results = [];
try {
  const calibration = join(folder, 'calibration.jsonl');
  await writeFile(calibration, calibrationLines(Number(options.tokens)));
  for (const sizes of encoders.filter(({ name }) => name.includes(options.encoder))) {
    const model = join(folder, 'encoder.onnx');
    await writeModel(randomEncoder(sizes), model, { force: true, externalData: 'never' });
    const { size } = await stat(model);
    for (const { name, args } of settings) {
      console.error(`swapping ${sizes.name}, ${name}`);
      const output = join(folder, 'swapped.onnx');
      const { seconds, usage } = await runMhe([
        ...['swap', model, '-o', output, '--force', '--calibration', calibration, '--json'],
        ...args,
      ]);
      results.push({
        encoder: sizes.name,
        setting: name,
        fileBytes: size,
        seconds,
        ...usage,
        secondsAllowed: sizes.secondsAllowed,
      });
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

console.log(`${machine}\n${SEQUENCES} calibration sequences of ${options.tokens} tokens\n`);
console.log(
  markdownTable(
    [
      'encoder',
      'groups q,k / v',
      'file, MB',
      'seconds',
      'allowed',
      'CPU seconds',
      'peak memory, MB',
      'peak / file',
      'allowed',
    ],
    results.map(({ encoder, setting, fileBytes, seconds, secondsAllowed, cpuSeconds, peakBytes }) => [
      encoder,
      setting,
      (fileBytes / 1e6).toFixed(0),
      seconds.toFixed(1),
      String(secondsAllowed),
      cpuSeconds.toFixed(1),
      (peakBytes / 1e6).toFixed(0),
      (peakBytes / fileBytes).toFixed(2),
      '3',
    ]),
  ),
);
await saveJson(options.json, { machine, tokens: options.tokens, results });

function calibrationLines(tokens: number): string {
  const random = seededRandom(1);
  const row = (next: () => number) => [Array.from({ length: tokens }, next)];
  const lines = Array.from({ length: SEQUENCES }, () =>
    JSON.stringify({
      input_ids: row(() => random.integer(VOCABULARY)),
      attention_mask: row(() => 1),
      token_type_ids: row(() => 0),
    }),
  );
  return `${lines.join('\n')}\n`;
}
