// What a swap of a converted graph promises besides its numbers.
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { graphOf } from '../src/graph-model/graph-model.js';
import { type Feed, swap, type TfjsModel, type TfjsSwapOptions } from '../src/index.js';
import { nodeBackends, useBackend } from './backends.js';
import { fixtureModel, inputsOf, largestDifference, runModel, type StoredTensors } from './graph-fixture.js';
import { expectSound } from './swapped-graph.js';

beforeAll(() => useBackend('cpu'));

const calibrationOf = (name: string) => inputsOf(name) as readonly Feed[];

/** Everything that a file of the model would hold. */
const content = ({ fields, weights }: TfjsModel) =>
  JSON.stringify({ fields, weights: weights.map(({ spec, bytes }) => [spec, Buffer.from(bytes).toString('base64')]) });

/** Largest difference of any run to the first. */
function differenceOf([first, ...others]: readonly (readonly StoredTensors[])[]): number {
  return Math.max(...others.flatMap((other) => other.map((actual, i) => largestDifference(actual, first?.[i] ?? {}))));
}

describe('a swap', () => {
  it('gives the same bytes every time, and leaves the model that it is given alone', async () => {
    const model = await fixtureModel('encoder-planted');
    const before = content(model);
    const options: TfjsSwapOptions = {
      groups: { queryKey: 1, value: 2 },
      calibration: { synthetic: { sequences: 3 } },
    };
    const [first, second] = [await swap(model, options), await swap(model, options)];
    expect(content(first.model)).toBe(content(second.model));
    expect(first.report).toEqual(second.report);
    expect(content(first.model)).not.toBe(before);
    expect(content(model)).toBe(before);
    expectSound(first.model, model);
  });

  it.each(['mul', 'add'] as const)('writes sound graphs in every form: %s', async (embedding) => {
    for (const name of ['conv-split', 'cross-planted', 'dense-planted', 'keras2']) {
      const model = await fixtureModel(name);
      const forms =
        embedding === 'mul' ? (['direct', 'folded'] as const) : (['direct', 'folded', 'factorised'] as const);
      const outputs: StoredTensors[][] = [];
      for (const form of forms) {
        const options = { groups: 1, form, embedding, calibration: calibrationOf(name) } satisfies TfjsSwapOptions;
        const { model: swapped, report } = await swap(model, options);
        expect(report.swapped.map((site) => site.form)).toEqual([form]);
        expectSound(swapped, model);
        outputs.push(await runModel(swapped, inputsOf(name)));
      }
      // The forms are the same mathematics written otherwise.
      expect(differenceOf(outputs)).toBeLessThan(5e-5);
    }
  });

  it('gives the same on every backend, and runs on each wherever it was made', async () => {
    const name = 'conv-split';
    const model = await fixtureModel(name);
    const options: TfjsSwapOptions = { groups: { queryKey: 1, value: 3 }, calibration: calibrationOf(name) };
    const made: StoredTensors[][] = [];
    for (const backend of nodeBackends) {
      await useBackend(backend);
      const { model: swapped } = await swap(model, options);
      const runs: StoredTensors[][] = [];
      for (const other of nodeBackends) {
        await useBackend(other);
        runs.push(await runModel(swapped, inputsOf(name)));
      }
      expect(differenceOf(runs)).toBeLessThan(2e-5);
      made.push(runs[0] as StoredTensors[]);
    }
    await useBackend('cpu');
    // What each sums up of the calibration inputs is rounded in its own way, and the fit starts from that.
    expect(differenceOf(made)).toBeLessThan(1e-3);
  });

  it.each(['dense-planted', 'cross-planted', 'encoder-planted'])('hides from %s what its mask hides', async (name) => {
    const model = await fixtureModel(name);
    const { model: swapped, report } = await swap(model, {
      groups: 1,
      embedding: 'add',
      calibration: calibrationOf(name),
    });
    expect(report.swapped.length).toBeGreaterThan(0);
    const masked = inputsOf(name)[1] as StoredTensors;
    const seen = (masked.mask ?? masked.seen)?.data as readonly number[];
    const hidden = name === 'cross-planted' ? 'memory' : name === 'encoder-planted' ? 'ids' : 'x';
    const { data, dims, dtype } = masked[hidden] as StoredTensors[string];
    const width = dims[2] ?? 1;
    const other = data.map((value, i) => (seen[Math.floor(i / width)] ? value : dtype === 'int32' ? 7 : value + 3));
    expect(other).not.toEqual(data);
    const [was, is] = await runModel(swapped, [masked, { ...masked, [hidden]: { data: other, dims, dtype } }]);
    for (const [key, output] of Object.entries(was as StoredTensors)) {
      const last = output.dims.at(-1) as number;
      // Rows of hidden positions are their own queries; what is seen may not move.
      const isVisible = (i: number) =>
        output.dims.length < 3 || hidden === 'memory' || seen[Math.floor(i / last)] === 1;
      output.data.forEach((value, i) => {
        if (isVisible(i)) expect(is?.[key]?.data[i]).toBeCloseTo(value, 5);
      });
    }
  });

  it('tells how far it is, and stops where it is told', async () => {
    const model = await fixtureModel('encoder-planted');
    const shares: number[] = [];
    const calibration = calibrationOf('encoder-planted');
    await swap(model, { groups: 1, calibration, onProgress: ({ done, total }) => shares.push(done / total) });
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
    const controller = new AbortController();
    const stopped = swap(model, {
      groups: 1,
      calibration,
      signal: controller.signal,
      onProgress: ({ done, total }) => {
        if (done > 0.4 * total) controller.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
  });
});

describe.each(nodeBackends)('the memory of %s', (backend) => {
  beforeEach(() => useBackend(backend));

  it('stays flat over swaps, those that fail among them', async () => {
    const model = await fixtureModel('conv-split');
    const calibration = calibrationOf('conv-split');
    const failing: readonly TfjsSwapOptions[] = [
      { calibration: [{ x: [[[1, 2]]] }] },
      { calibration, numHeads: 7 },
      { calibration, signal: AbortSignal.abort() },
      {
        calibration,
        onProgress: ({ done, total }) => {
          if (done > 0.3 * total) throw new Error('from a listener');
        },
      },
    ];
    const round = async (i: number) => {
      const fails = failing[i % failing.length] as TfjsSwapOptions;
      await expect(swap(model, { groups: 1, ...fails })).rejects.toThrow();
      await swap(model, { groups: 1, calibration });
    };
    await round(0);
    const { numTensors, numBytes } = memory();
    for (let i = 1; i <= 10; i++) await round(i);
    expect(memory()).toMatchObject({ numTensors, numBytes });
  });
});

describe('a graph', () => {
  it('may have its nodes in any order', async () => {
    const name = 'unpacked';
    const model = await fixtureModel(name);
    const graph = graphOf(model);
    const shuffled = model.with({ modelTopology: { ...graph, node: [...graph.node].reverse() } });
    const { model: swapped, report } = await swap(shuffled, { groups: 'heads', calibration: calibrationOf(name) });
    expect(report.swapped).toHaveLength(1);
    const [before, after] = [await runModel(model, inputsOf(name)), await runModel(swapped, inputsOf(name))];
    after.forEach((actual, i) => {
      expect(largestDifference(actual, before[i] ?? {})).toBeLessThan(2e-5);
    });
  });
});
