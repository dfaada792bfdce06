// Swapped models on the backends of a browser: as TensorFlow says of the original, since their heads really share.
import { loadModel, swap } from '@mhe/tfjs';
import { describe, expect, it } from 'vitest';
import { plantedGroups } from '../../core/test/planted-groups.js';
import { browserBackends, tolerances, useBackend } from './backends.js';
import type { Fixture } from './graph-fixture.js';
import { largestDifference, runModel } from './run-graph.js';

/** Address of a file of a fixture. */
const file = (name: string, ending: string) => new URL(`./fixtures/graph/${name}/${ending}.json`, import.meta.url).href;

// Kernels of their own for shapes that are computed, which these do in different ways.
describe.each(['conv-split-planted', 'cross-planted', 'flat-rows-planted'])('%s', (name) => {
  it.each(browserBackends)('runs on %s', async (backend) => {
    const { sites, cases } = (await (await fetch(file(name, 'expected'))).json()) as Fixture;
    await useBackend('cpu');
    const model = await loadModel(file(name, 'model'));
    const options = { groups: plantedGroups(sites), calibration: { synthetic: { sequences: 4 } } };
    const swapped = await swap(model, options);
    expect(swapped.report.swapped).toHaveLength(sites.length);
    await useBackend(backend);
    const outputs = await runModel(
      swapped.model,
      cases.map(({ inputs }) => inputs),
    );
    expect(outputs).toHaveLength(cases.length);
    for (const [i, { outputs: expected }] of cases.entries()) {
      expect(largestDifference(outputs[i], expected)).toBeLessThan(2 * tolerances[backend]);
    }
  });
});
