// Swaps a sentence encoder of transformers.js at several settings and measures what is left of it. See ../README.md.
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as transformers from '@huggingface/transformers';
import { startBar } from '@mhe/example-terminal/progress';
import { inspectFolder, type SwappedFile, swapFolder } from '@mhe/transformers';
import { runInterruptible } from '../command/run-interruptible.js';
import { describeMachine } from '../machine/describe-machine.js';
import { type Dial, nameOf } from '../quality/dials.js';
import { type Encoder, type Evaluation, evaluate } from '../quality/evaluate.js';
import { readStsFile } from '../quality/sts-file.js';
import { markdownTable } from '../report/markdown-table.js';
import { saveJson } from '../report/save-json.js';
import { calibrationTexts } from './calibration-texts.js';
import { convert } from './convert.js';
import { dialsOf } from './dials.js';
import { type Dtype, openEmbedder } from './embedder.js';
import { loadTimes } from './load-times.js';

const shared = (path: string) => fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url));

const { values: options } = parseArgs({
  options: {
    /** Folder of a sentence encoder, as transformers.js reads it, with `onnx/model.onnx`. */
    model: { type: 'string', default: shared('models/all-MiniLM-L6-v2') },
    /** Tab-separated pairs of sentences with scores, as STS-B is published. */
    sts: { type: 'string', default: shared('data/sts-dev.tsv') },
    /** Sentences to fit on: an STS file (`.tsv`), or text with one a line. */
    calibration: { type: 'string', default: shared('data/sts-train.tsv') },
    /** How many of them. */
    sequences: { type: 'string', default: '1000' },
    /** How many times each model is loaded. */
    loads: { type: 'string', default: '5' },
    /** A Python with `requirements.txt`, which converts to q8 and fp16. Without it fp32 alone is measured. */
    python: { type: 'string' },
    /** One scale for all of a weight in q8, as the conversion script of transformers.js took, not one for each column. */
    'per-tensor': { type: 'boolean', default: false },
    /** Part of the name of the settings to swap at: `1 / 12 MUL`. */
    dial: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});
const FILE = 'onnx/model.onnx';
const FILE_NAMES: Readonly<Record<Dtype, string>> = {
  fp32: FILE,
  fp16: 'onnx/model_fp16.onnx',
  q8: 'onnx/model_quantized.onnx',
};
/** So many pairs that the processor's caches hold what a model alone would find there. */
const PAIRS_A_TURN = 25;

const folder = resolve(options.model);
const missing = [join(folder, FILE), options.sts, options.calibration].find((file) => !existsSync(file));
if (missing !== undefined) {
  console.log(`transformers: skipped, ${missing} is missing (give --model, --sts and --calibration)`);
} else {
  await runInterruptible(measure);
}

/** A folder and what was done to it; the original has neither dial nor swap. */
interface Model {
  readonly folder: string;
  readonly dial?: Dial;
  readonly swap?: Pick<SwappedFile, 'report'> & { readonly seconds: number };
}

interface Row extends Pick<Model, 'dial' | 'swap'> {
  readonly dtype: Dtype;
  readonly bytes: number;
  readonly loadMilliseconds: number;
  readonly evaluation: Evaluation;
}

async function measure(signal: AbortSignal): Promise<void> {
  const machine = `${describeMachine()}; transformers.js ${transformers.env.version}`;
  const pairs = await readStsFile(options.sts);
  const texts = await calibrationTexts(options.calibration, Number(options.sequences));
  const temporary = await mkdtemp(join(tmpdir(), 'mhe-transformers-'));
  try {
    const models = await swapAll(texts, temporary, signal);
    const dtypes: Dtype[] = ['fp32'];
    if (options.python !== undefined) {
      startBar(`converting ${models.length} models to q8 and fp16`, 1).stop();
      await convert(
        options.python,
        models.map((model) => model.folder),
        options['per-tensor'],
        signal,
      );
      dtypes.push('q8', 'fp16');
    }
    const variants = dtypes.flatMap((dtype) => models.map((model) => ({ ...model, dtype })));
    startBar(`loading ${variants.length} models ${options.loads} times`, 1).stop();
    const loads = await loadTimes(
      variants.map((variant) => async () => (await openEmbedder(variant.folder, variant.dtype)).release),
      Number(options.loads),
      signal,
    );
    const encoders: Encoder<string>[] = [];
    for (const variant of variants) encoders.push(await openEmbedder(variant.folder, variant.dtype));
    const bar = startBar(`embedding ${2 * pairs.length} sentences with ${encoders.length} models`, pairs.length);
    const evaluations = await evaluate(encoders, pairs, { pairsATurn: PAIRS_A_TURN, onProgress: bar.update, signal });
    bar.stop();
    const rows: Row[] = [];
    for (const [i, { dtype, dial, swap, folder: at }] of variants.entries()) {
      const { size: bytes } = await stat(join(at, FILE_NAMES[dtype]));
      const [evaluation, loadMilliseconds] = [evaluations[i] as Evaluation, loads[i] as number];
      rows.push({ ...(dial && { dial }), ...(swap && { swap }), dtype, bytes, loadMilliseconds, evaluation });
    }
    console.log(`${machine}\n${texts.length} calibration sentences, ${pairs.length} pairs\n\n${tableOf(rows)}`);
    await saveJson(options.json, { machine, sentences: texts.length, pairs: pairs.length, rows });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The original and its swaps. Where files are added to the original, it is a copy. */
async function swapAll(calibration: readonly string[], temporary: string, signal: AbortSignal): Promise<Model[]> {
  let original = folder;
  if (options.python !== undefined) {
    original = join(temporary, 'original');
    await cp(folder, original, { recursive: true, dereference: true });
  }
  const { inspected } = await inspectFolder(folder, { files: ['model'], signal });
  const numHeads = inspected[0]?.inspection.attention[0]?.numHeads;
  if (numHeads === undefined) throw new Error(`${join(folder, FILE)}: no attention was found`);
  const models: Model[] = [{ folder: original }];
  const dials = dialsOf(numHeads).filter((dial) => nameOf(dial).includes(options.dial));
  for (const [i, dial] of dials.entries()) {
    const { queryKey, value, embedding } = dial;
    const bar = startBar(`swapping ${i + 1} of ${dials.length}: ${nameOf(dial)}`, 1);
    const start = performance.now();
    const output = join(temporary, `${i}`);
    const { files } = await swapFolder(folder, output, {
      library: transformers,
      files: ['model'],
      groups: { queryKey, value },
      embedding,
      calibration,
      signal,
      onProgress: ({ done, total }) => bar.update(done, total),
    });
    bar.stop();
    const { report } = files[0] as SwappedFile;
    models.push({ folder: output, dial, swap: { report, seconds: (performance.now() - start) / 1000 } });
  }
  return models;
}

function tableOf(rows: readonly Row[]): string {
  const original = rows[0] as Row;
  const before = rows.find(({ swap }) => swap !== undefined)?.swap?.report.parameters.before;
  return markdownTable(
    [
      'groups q,k / v',
      'dtype',
      'parameters',
      'MB',
      'Spearman',
      '% of original',
      'cosine to original',
      'ms a sentence',
      'ms to load',
    ],
    rows.map(({ dial, swap, dtype, bytes, loadMilliseconds, evaluation }) => [
      dial ? nameOf(dial) : 'original',
      dtype,
      (swap?.report.parameters.after ?? before)?.toLocaleString('en') ?? '',
      (bytes / 1e6).toFixed(1),
      evaluation.spearman.toFixed(4),
      ((100 * evaluation.spearman) / original.evaluation.spearman).toFixed(1),
      evaluation.likeFirst.toFixed(4),
      evaluation.milliseconds.toFixed(2),
      loadMilliseconds.toFixed(0),
    ]),
  );
}
