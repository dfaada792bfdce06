// Loads a sentence encoder plain, and with `mhe`: the first time, when it is swapped, and later. See ../README.md.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as transformers from '@huggingface/transformers';
import { withMhe } from '@mhe/transformers';
import { runInterruptible } from '../command/run-interruptible.js';
import { describeMachine } from '../machine/describe-machine.js';
import { markdownTable } from '../report/markdown-table.js';
import { saveJson } from '../report/save-json.js';
import { calibrationTexts } from '../transformers/calibration-texts.js';
import { loadTimes } from '../transformers/load-times.js';

const shared = (path: string) => fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url));

const { values: options } = parseArgs({
  options: {
    /** Folder of a sentence encoder, as transformers.js reads it, with `onnx/model.onnx`. */
    model: { type: 'string', default: shared('models/all-MiniLM-L6-v2') },
    /** Sentences to fit on: an STS file (`.tsv`), or text with one a line. */
    calibration: { type: 'string', default: shared('data/sts-train.tsv') },
    /** How many of them. */
    sequences: { type: 'string', default: '200' },
    /** How many times each is loaded. */
    loads: { type: 'string', default: '11' },
    json: { type: 'string' },
  },
});
const folder = resolve(options.model);
const missing = [join(folder, 'onnx/model.onnx'), options.calibration].find((file) => !existsSync(file));
if (missing !== undefined) {
  console.log(`load: skipped, ${missing} is missing (give --model and --calibration)`);
} else {
  await runInterruptible(measure);
}

async function measure(signal: AbortSignal): Promise<void> {
  console.log(`${describeMachine()}\n`);
  const cacheDir = await mkdtemp(join(tmpdir(), 'mhe-load-'));
  Object.assign(transformers.env, { cacheDir, allowRemoteModels: false });
  try {
    const calibration = await calibrationTexts(options.calibration, Number(options.sequences));
    const { pipeline } = withMhe(transformers);
    const load = (settings: object) => async () => {
      const embed = await pipeline('feature-extraction', folder, { ...settings, dtype: 'fp32' });
      return () => embed.dispose();
    };
    const mild = load({ mhe: { groups: { queryKey: 1, value: 'heads' }, calibration, signal } });
    const full = load({ mhe: { groups: 1, calibration, signal } });
    const plain = load({});
    // Of the files in the system's memory, for all alike.
    await (await plain())();
    const rounds = Number(options.loads);
    const first = [await loadTimes([mild], 1, signal), await loadTimes([full], 1, signal)].flat();
    const later = await loadTimes([plain, mild, full], rounds, signal);
    const rows = ['the original', 'mhe, groups 1 / heads', 'mhe, groups 1 / 1'].map((name, i) => ({
      name,
      firstMs: i === 0 ? null : (first[i - 1] as number),
      laterMs: later[i] as number,
    }));
    const original = later[0] as number;
    console.log(
      markdownTable(
        ['load', 'first', 'later', 'later, of the original'],
        rows.map(({ name, firstMs, laterMs }) => [
          name,
          firstMs === null ? '-' : `${(firstMs / 1000).toFixed(1)} s`,
          `${laterMs.toFixed(0)} ms`,
          `${(laterMs / original).toFixed(2)}x`,
        ]),
      ),
    );
    await saveJson(options.json, { machine: describeMachine(), ...options, rows });
  } finally {
    await rm(cacheDir, { recursive: true });
  }
}
