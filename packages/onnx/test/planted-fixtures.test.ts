// Exported models whose heads really share projections, each head in a basis of its own so that nothing shows: a swap to
// as many groups has to bring the model back. An identity swap cannot see a misread layout, this can.
import * as node from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { plantedGroups } from '../../core/test/planted-groups.js';
import { type OrtRuntime, swap } from '../src/index.js';
import { runAll } from '../src/swap/frontier.js';
import { fixture, fixtureModel, largestDifference, plantedNames } from './fixture.js';

const runtime = node as unknown as OrtRuntime;
const isFloat16 = (name: string) => name.startsWith('float16');

describe('heads that really share', () => {
  it.each(plantedNames)('are found in %s', async (name) => {
    const { sites, cases } = fixture(name);
    const groups = plantedGroups(sites);
    const original = await fixtureModel(name);
    // Not the inputs that are compared: a refit on few positions brings anything back on these.
    const { model, report } = await swap(original, { runtime, groups, calibration: { synthetic: { sequences: 4 } } });
    expect(report.swapped).toHaveLength(sites.length);
    for (const { fitError, groups: made } of report.swapped) {
      expect(made).toEqual(groups);
      expect(Math.max(fitError.queryKey, fitError.value)).toBeLessThan(isFloat16(name) ? 1e-4 : 1e-6);
    }
    const inputs = cases.map((entry) => entry.inputs);
    const [before, after] = [await runAll(original, inputs, { runtime }), await runAll(model, inputs, { runtime })];
    before.forEach((expected, i) => {
      // Raw scores may differ by a number for each row, which the softmax cancels; the report says so.
      const names = Object.keys(expected).filter((output) => output !== 'scores');
      expect(largestDifference(after[i] ?? {}, expected, names)).toBeLessThan(isFloat16(name) ? 2e-2 : 1e-4);
      expect(largestDifference(after[i] ?? {}, cases[i]?.outputs ?? {}, names)).toBeLessThan(
        isFloat16(name) ? 2e-2 : 2e-4,
      );
      if ('scores' in expected) expect(report.notices.join('\n')).toMatch(/its scores are read outside/);
    });
  });
});
