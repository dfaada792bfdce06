// A decoder with caches is left alone until the library can be told what the swap makes of them.
import { fileURLToPath } from 'node:url';
import { readModel } from '@mhe/onnx';
import { expect, it } from 'vitest';
import type { Encoder } from '../src/calibration/encoder.js';
import { swapFile } from '../src/swap-file.js';

it('leaves a file with key/value caches alone, by name', async () => {
  const file = new URL('../../onnx/test/fixtures/decoder-gpt2-optimum14.onnx', import.meta.url);
  const model = await readModel(fileURLToPath(file));
  const runtime = () => Promise.reject(new Error('nothing is to be run'));
  const options = { calibration: undefined, groups: 1 } as const;
  const { model: swapped, report } = await swapFile(model, options, {} as Encoder, runtime);
  expect(swapped).toBe(model);
  expect(report.swapped).toEqual([]);
  expect(report.skipped.filter(({ reason }) => /key\/value caches/.test(reason))).not.toHaveLength(0);
});
