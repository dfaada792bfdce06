// Swaps the Universal Sentence Encoder lite at several settings and measures what is left of it. See ../README.md.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Tokenizer, unigramTokenizer, type Vocabulary } from '@mhe/example-sentence-encoder';
import type { SwapReport } from '@mhe/onnx';
import { describeMachine } from '../machine/describe-machine.js';
import { runtimes } from '../machine/runtimes.js';
import { markdownTable } from '../report/markdown-table.js';
import { saveJson } from '../report/save-json.js';
import { type Dial, dials, nameOf } from './dials.js';
import { openEncoder } from './encoder.js';
import { type Encoder, type Evaluation, evaluate } from './evaluate.js';
import { readPairs } from './sentences.js';
import { swapDial } from './swap-dial.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: fileURLToPath(new URL('../../../shared/models/use-lite', import.meta.url)) },
    /** Pairs of sentences with scores: tokenised as JSON Lines, or tab-separated as STS-B is published. Default: the folder's. */
    sts: { type: 'string' },
    /** How many lines of the calibration file the swap gets. */
    sequences: { type: 'string', default: '1500' },
    json: { type: 'string' },
  },
});
const folder = resolve(options.model);
const sts = options.sts ?? join(folder, 'sts-dev.jsonl');
const needed = [join(folder, 'model.onnx'), join(folder, 'calibration.jsonl'), sts];
const missing = needed.find((file) => !existsSync(file));
if (missing === undefined) await measure();
else console.log(`quality: skipped, ${missing} is missing (give the model's folder with --model, pairs with --sts)`);

async function measure(): Promise<void> {
  const machine = describeMachine();
  const temporary = await mkdtemp(join(tmpdir(), 'mhe-quality-'));
  try {
    const calibration = join(temporary, 'calibration.jsonl');
    const lines = (await readFile(join(folder, 'calibration.jsonl'), 'utf8')).split('\n');
    await writeFile(calibration, lines.slice(0, Number(options.sequences)).join('\n'));
    const original = join(folder, 'model.onnx');
    const swaps: (Swap & { readonly file: string })[] = [];
    for (const [i, dial] of dials.entries()) {
      const file = join(temporary, `${i}.onnx`);
      console.error(`swapping ${i + 1} of ${dials.length}: ${nameOf(dial)}`);
      swaps.push({ dial, file, report: await swapDial(original, file, calibration, dial) });
    }
    const pairs = await readPairs(sts, () => openTokenizer(folder));
    const files = [original, ...swaps.map(({ file }) => file)];
    const bytes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    const measured: (readonly Evaluation[])[] = [];
    for (const runtime of runtimes) {
      console.error(`embedding ${2 * pairs.length} sentences with ${files.length} models in ${runtime.name}`);
      const encoders: Encoder[] = [];
      for (const file of files) encoders.push(await openEncoder(runtime, file));
      measured.push(await evaluate(encoders, pairs));
    }
    const rows = files.map((_, i): Row => {
      const swap = swaps[i - 1];
      const evaluations = measured.map((ofRuntime) => ofRuntime[i] as Evaluation);
      const { parameters } = (swaps[0] as (typeof swaps)[number]).report;
      return {
        swap,
        parameters: swap?.report.parameters.after ?? parameters.before,
        bytes: bytes[i] as number,
        evaluations,
      };
    });
    console.log(`${machine}\n\n${tableOf(rows)}`);
    await saveJson(options.json, { machine, rows });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function openTokenizer(model: string): Promise<Tokenizer> {
  return unigramTokenizer(JSON.parse(await readFile(join(model, 'vocab.json'), 'utf8')) as Vocabulary);
}

interface Swap {
  readonly dial: Dial;
  readonly report: SwapReport;
}

interface Row {
  /** Absent for the original. */
  readonly swap: Swap | undefined;
  readonly parameters: number;
  readonly bytes: number;
  /** One a runtime. */
  readonly evaluations: readonly Evaluation[];
}

function tableOf(rows: readonly Row[]): string {
  const original = rows[0]?.evaluations[0]?.spearman as number;
  const headings = [
    'groups q,k / v',
    'form',
    'parameters',
    'MB',
    'Spearman',
    '% of original',
    'required',
    'cosine to original',
    ...runtimes.map(({ name }) => `ms in ${name}`),
  ];
  return markdownTable(
    headings,
    rows.map(({ swap, parameters, bytes, evaluations }) => {
      const { spearman, likeFirst } = evaluations[0] as Evaluation;
      return [
        swap ? nameOf(swap.dial) : 'original',
        swap ? [...new Set(swap.report.swapped.map(({ form }) => form))].join(', ') : '',
        parameters.toLocaleString('en'),
        (bytes / 1e6).toFixed(1),
        spearman.toFixed(4),
        ((100 * spearman) / original).toFixed(1),
        swap?.dial.required?.toFixed(1) ?? '',
        likeFirst.toFixed(4),
        ...evaluations.map(({ milliseconds }) => milliseconds.toFixed(2)),
      ];
    }),
  );
}
