import { afterEach, describe, expect, it, vi } from 'vitest';
import { assemblePanelKernel } from '../scripts/assemble-panel-kernel.mjs';
import { type PanelKernel, TILE } from '../src/float64/panel-kernel.js';
import { javascriptKernel } from '../src/float64/panel-kernel-javascript.js';
import { PANEL_KERNEL_MODULE } from '../src/float64/panel-kernel-module.js';
import { webAssemblyKernel } from '../src/float64/panel-kernel-webassembly.js';
import { seededRandom } from '../src/float64/random.js';

/** The tiles of one left panel and `count` right ones of random numbers. */
function tiles(kernel: PanelKernel, depth: number, count: number): Float64Array {
  const random = seededRandom(depth);
  const start = 5;
  const panel = depth * TILE;
  const end = start + panel * (count + 1);
  const numbers = kernel.memory(end + count * TILE * TILE);
  for (let at = start; at < end; at++) numbers[at] = random.normal();
  kernel.multiply(start, start + panel, end, depth, count);
  return numbers.slice(end, end + count * TILE * TILE);
}

describe('the kernel of products', () => {
  it.each([
    [1, 1],
    [2, 3],
    [7, 1],
    [512, 32],
    [5000, 9],
  ])(
    'gives the sums of the definition in JavaScript and in WebAssembly to the bit, %i steps, %i tiles',
    (depth, count) => {
      const got = tiles(webAssemblyKernel(), depth, count);
      expect(got).toEqual(tiles(javascriptKernel(), depth, count));

      const random = seededRandom(depth);
      const panels = Array.from({ length: count + 1 }, () =>
        Float64Array.from({ length: depth * TILE }, random.normal),
      );
      const [left, ...right] = panels as [Float64Array, ...Float64Array[]];
      const expected = right.flatMap((panel) =>
        Array.from({ length: TILE * TILE }, (_, at) => {
          let sum = 0;
          for (let k = 0; k < depth; k++) {
            sum += (left[k * TILE + Math.floor(at / TILE)] as number) * (panel[k * TILE + (at % TILE)] as number);
          }
          return sum;
        }),
      );
      expect([...got]).toEqual(expected);
    },
  );

  it('is the committed module, assembled', async () => {
    expect(await assemblePanelKernel(), 'run `pnpm --filter @mhe/core assemble`').toBe(PANEL_KERNEL_MODULE);
  });
});

describe('where WebAssembly is forbidden', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    vi.resetModules();
  });

  it('products are the same, and that they take longer is said once', async () => {
    vi.resetModules();
    const { panelKernel: usual } = await import('../src/float64/panel-kernel-choice.js');
    const expected = tiles(usual(), 9, 2);

    vi.resetModules();
    vi.stubGlobal('WebAssembly', {
      Module: class {
        constructor() {
          throw new Error("'wasm-unsafe-eval' is not an allowed source of script");
        }
      },
    });
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { panelKernel } = await import('../src/float64/panel-kernel-choice.js');
    expect(tiles(panelKernel(), 9, 2)).toEqual(expected);
    panelKernel();
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/several times longer.*wasm-unsafe-eval/)]]);
  });
});
