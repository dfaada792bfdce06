// Measures a decoder of transformers.js before and after swaps. See ../README.md.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { env, type PreTrainedTokenizer } from '@huggingface/transformers';
import type { SwapReport } from '@mhe/core';
import { startBar } from '@mhe/example-terminal/progress';
import { inspectFolder } from '@mhe/transformers';
import { runInterruptible } from '../command/run-interruptible.js';
import { runMhe, type Usage } from '../command/run-mhe.js';
import { describeMachine } from '../machine/describe-machine.js';
import { markdownTable } from '../report/markdown-table.js';
import { saveJson } from '../report/save-json.js';
import { openDecoder, openTokenizer } from './decoder.js';
import { type Material, type Measured, measureAll } from './measure.js';
import { type Setting, settings } from './settings.js';
import { readTexts } from './texts.js';

const { values: options } = parseArgs({
  options: {
    /** Folder of a decoder, as transformers.js reads it, with `onnx/model.onnx`. */
    model: { type: 'string', default: '' },
    /** Text, a paragraph a line; the first part is fitted on, the last one measured on. */
    text: { type: 'string', default: '' },
    /** How many paragraphs are fitted on. */
    sequences: { type: 'string', default: '32' },
    /** How many windows are measured on, and their tokens. */
    windows: { type: 'string', default: '16' },
    tokens: { type: 'string', default: '256' },
    /** How many prompts are gone on from, their tokens, and how many tokens are generated. */
    prompts: { type: 'string', default: '6' },
    prompt: { type: 'string', default: '64' },
    generate: { type: 'string', default: '32' },
    /** Part of the name of the settings to swap at; can be given several times. */
    setting: { type: 'string', multiple: true, default: [''] },
    /** Folder in which swapped models stay; those that are there already are taken. */
    keep: { type: 'string' },
    json: { type: 'string' },
  },
});
const FILE = 'onnx/model.onnx';

const folder = resolve(options.model);
const missing = [
  ['--model', join(folder, FILE)],
  ['--text', options.text],
].find(([, file]) => !existsSync(file as string));
if (missing !== undefined) {
  const [option, file] = missing;
  console.log(`decoder: skipped, ${file || 'nothing'} is not there (give ${option})`);
} else {
  await runInterruptible(measure);
}

/** What a swap told and took. */
interface Swap {
  readonly report: Pick<SwapReport, 'parameters' | 'cachePerToken'> & { readonly swapped: readonly unknown[] };
  readonly seconds: number;
  readonly usage: Usage;
}

interface Row {
  readonly setting?: Setting;
  readonly swap?: Swap;
  readonly bytes: number;
  readonly measured: Measured;
}

async function measure(signal: AbortSignal): Promise<void> {
  const machine = `${describeMachine()}; transformers.js ${env.version}`;
  const { calibration, measured } = await readTexts(options.text, Number(options.sequences));
  const tokenizer = await openTokenizer(folder);
  const material = materialOf(measured, tokenizer);
  const temporary = await mkdtemp(join(tmpdir(), 'mhe-decoder-'));
  try {
    const data = join(temporary, 'calibration.txt');
    await writeFile(data, `${calibration.join('\n')}\n`);
    const place = options.keep ?? temporary;
    await mkdir(place, { recursive: true });
    const chosen = settings.filter(({ name }) => options.setting.some((part) => name.includes(part)));
    const swaps: { readonly setting: Setting; readonly at: string; readonly swap: Swap }[] = [];
    for (const [i, setting] of chosen.entries()) {
      signal.throwIfAborted();
      const bar = startBar(`swapping ${i + 1} of ${chosen.length}: ${setting.name}`, 1);
      const at = join(place, setting.name.replaceAll(/\W+/g, '-'));
      swaps.push({ setting, at, swap: await swapped(setting, at, data) });
      bar.stop();
    }
    const folders = [folder, ...swaps.map(({ at }) => at)];
    const decoders = [];
    for (const each of folders) decoders.push(await openDecoder(each, tokenizer));
    const steps = decoders.length * (material.windows.length + material.prompts.length);
    let done = 0;
    const bar = startBar(`reading and writing with ${decoders.length} models`, steps);
    const results = await measureAll(decoders, material, { signal, onStep: () => bar.update(++done, steps) });
    bar.stop();
    for (const decoder of decoders) await decoder.release();
    const rows: Row[] = [];
    for (const [i, each] of folders.entries()) {
      const { size: bytes } = await stat(join(each, FILE));
      rows.push({ ...swaps[i - 1], bytes, measured: results[i] as Measured });
    }
    const { windows, prompts } = material;
    const read = `${windows.length} windows of ${options.tokens} tokens, ${prompts.length} prompts of ${options.prompt}`;
    console.log(`${machine}\n${calibration.length} calibration paragraphs, ${read}\n\n${await tableOf(rows)}`);
    await saveJson(options.json, { machine, options, rows });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Windows and prompts, taken from all of the text. */
function materialOf(text: string, tokenizer: PreTrainedTokenizer): Material {
  const tokens = tokenizer.encode(text);
  const cuts = (count: number, length: number) => {
    const step = Math.floor((tokens.length - length) / count);
    return Array.from({ length: count }, (_, i) => tokens.slice(i * step, i * step + length));
  };
  return {
    windows: cuts(Number(options.windows), Number(options.tokens)),
    prompts: cuts(Number(options.prompts), Number(options.prompt)),
    generated: Number(options.generate),
  };
}

/** Swaps with the command, as a user does, unless that was done before. */
async function swapped({ args }: Setting, at: string, data: string): Promise<Swap> {
  const note = `${at}.json`;
  if (existsSync(note)) return JSON.parse(await readFile(note, 'utf8')) as Swap;
  const { stdout, seconds, usage } = await runMhe(['swap', folder, '-o', at, '--data', data, '--json', ...args]);
  const { files } = JSON.parse(stdout) as { readonly files: Readonly<Record<string, Swap['report']>> };
  const swap: Swap = { report: files[FILE] as Swap['report'], seconds, usage };
  await writeFile(note, JSON.stringify(swap));
  return swap;
}

async function tableOf(rows: readonly Row[]): Promise<string> {
  const { inspected } = await inspectFolder(folder, { files: ['model'] });
  const cache = inspected[0]?.cachePerToken ?? 0;
  return markdownTable(
    [
      'groups q,k / v',
      'layers swapped',
      'MB',
      'cache, bytes a token',
      'perplexity',
      'same next token',
      'same generated',
      'prompt, tokens/s',
      'generated, tokens/s',
      'swap, s',
      'CPU s',
      'peak, GB',
    ],
    rows.map(({ setting, swap, bytes, measured }) => [
      setting?.name ?? 'original',
      swap ? String(swap.report.swapped.length) : '',
      (bytes / 1e6).toFixed(1),
      (4 * (cache + (swap ? swap.report.cachePerToken.after - swap.report.cachePerToken.before : 0))).toLocaleString(
        'en',
      ),
      measured.perplexity.toFixed(2),
      `${(100 * measured.likeOriginal).toFixed(1)} %`,
      `${(100 * measured.generatedLikeOriginal).toFixed(1)} %`,
      ((1000 * Number(options.prompt)) / measured.promptMilliseconds).toFixed(1),
      (1000 / measured.tokenMilliseconds).toFixed(1),
      swap?.seconds.toFixed(0) ?? '',
      swap?.usage.cpuSeconds.toFixed(0) ?? '',
      swap ? (swap.usage.peakBytes / 1e9).toFixed(2) : '',
    ]),
  );
}
