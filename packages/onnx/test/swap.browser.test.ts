// A page's way, in a real browser: the bytes of a model, ONNX Runtime Web from its package, no file system.
import { encodeModel, type FeedTensor, readModel, swap } from '@mhe/onnx';
import * as runtime from 'onnxruntime-web';
import { expect, test } from 'vitest';

// As Vitest serves the package's folder.
runtime.env.wasm.wasmPaths = `${location.origin}/packages/onnx/node_modules/onnxruntime-web/dist/`;
runtime.env.wasm.numThreads = 1;

interface FixtureCase {
  readonly inputs: Readonly<Record<string, FeedTensor>>;
  readonly outputs: Readonly<Record<string, { readonly dims: readonly number[]; readonly data: readonly number[] }>>;
}

async function fixture(name: string): Promise<{ bytes: Uint8Array; cases: readonly FixtureCase[] }> {
  const file = (ending: string) => fetch(new URL(`./fixtures/${name}.${ending}`, import.meta.url));
  const bytes = new Uint8Array(await (await file('onnx')).arrayBuffer());
  const { cases } = (await (await file('json')).json()) as { readonly cases: readonly FixtureCase[] };
  return { bytes, cases };
}

/** Runs with ONNX Runtime Web alone, nothing of this project. */
async function outputs(bytes: Uint8Array, { inputs }: FixtureCase): Promise<Map<string, Float32Array>> {
  const session = await runtime.InferenceSession.create(bytes);
  const feeds = Object.entries(inputs).map(
    ([name, { data, dims }]) =>
      [name, new runtime.Tensor('int64', BigInt64Array.from(Array.from(data, BigInt)), dims)] as const,
  );
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return new Map(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
}

test.each([
  { groups: 'heads' as const, tolerance: 2e-5 },
  { groups: 1 as const, tolerance: 1e-4 },
])(
  'swaps heads that share projections at groups $groups and computes what PyTorch did',
  async ({ groups, tolerance }) => {
    const { bytes, cases } = await fixture('bert-eager-optimum14-planted');
    const original = await readModel(bytes);
    const calibration = cases.map(({ inputs }) => inputs);
    const { model, report } = await swap(original, { runtime, groups, calibration });
    expect(report.swapped.length).toBeGreaterThan(0);
    const swapped = encodeModel(model).bytes;
    for (const set of cases) {
      const results = await outputs(swapped, set);
      for (const [name, expected] of Object.entries(set.outputs)) {
        const largest = Math.max(...expected.data.map(Math.abs));
        const differences = expected.data.map((x, i) => Math.abs(x - (results.get(name)?.[i] ?? Number.NaN)));
        expect(Math.max(...differences) / largest).toBeLessThan(tolerance);
      }
    }
  },
);
