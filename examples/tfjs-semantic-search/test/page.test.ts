// The page as a person uses it.
import { fileURLToPath } from 'node:url';
import { type OpenedExample, openExample } from '@mhe/example-page/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const patient = { timeout: 200_000 };

const refund = 'You may return the shoes within a month for a full refund.';

describe('examples/tfjs-semantic-search', () => {
  let example: OpenedExample;

  beforeAll(async () => {
    example = await openExample(fileURLToPath(new URL('..', import.meta.url)));
  });
  afterAll(async () => {
    await example?.close();
  });

  const state = (pattern: RegExp) => example.page.locator('#state', { hasText: pattern }).waitFor(patient);
  const text = async (selector: string) => (await example.page.locator(selector).textContent()) ?? '';
  const ranking = (model: string) => example.page.locator(`#${model} .sentence`).allTextContents();
  const megabytes = async (model: string) => Number.parseFloat(await text(`#${model} .size`));
  const likeness = async () => Number(/vectors (\S+)\.$/.exec(await text('#agreement'))?.[1]);

  async function swap(queryKey: string, value: string): Promise<void> {
    const { page } = example;
    await page.getByLabel('Query and key groups').selectOption(queryKey);
    await page.getByLabel('Value groups').selectOption(value);
    await page.getByLabel('Sentences to fit on').selectOption('50');
    await page.getByRole('button', { name: 'Swap' }).click();
    await page.locator('#stage', { hasText: 'Looking' }).waitFor(patient);
    await state(/^Ready: 2 blocks swapped/);
  }

  it('finds the sentence that means the same', async () => {
    await state(/^Ready$/);
    expect((await ranking('original'))[0]).toBe(refund);
    expect(await text('#original .time')).toMatch(/^\d+\.\d ms/);
    expect(await text('#original .memory')).toMatch(/^27\.\d+ MB in \d+ tensors$/);
    await example.page.getByLabel('Your sentence').fill('What will the weather be like?');
    await example.page.getByLabel('Your sentence').press('Enter');
    await example.page.locator('#original .ranking li:first-child', { hasText: 'Heavy rain' }).waitFor(patient);
    await state(/^Ready$/);
  });

  it('swaps each head for itself and ranks alike', async () => {
    await swap('4', '4');
    expect(await likeness()).toBe(1);
    expect(await ranking('swapped')).toEqual(await ranking('original'));
  });

  it('swaps to shared queries and keys: smaller, the same sentence first', async () => {
    await swap('1', '4');
    expect(await megabytes('swapped')).toBeLessThan((await megabytes('original')) - 1);
    expect(await text('#agreement')).toContain('the same sentence first');
    expect(await likeness()).toBeGreaterThan(0.6);
    expect(await likeness()).toBeLessThan(1);
  });

  it('leaves what there is when a swap is cancelled', async () => {
    const before = await megabytes('swapped');
    await example.page.getByLabel('Value groups').selectOption('1');
    await example.page.getByRole('button', { name: 'Swap' }).click();
    await example.page.getByRole('button', { name: 'Cancel' }).click();
    await state(/^Cancelled$/);
    expect(await example.page.locator('#progress').isVisible()).toBe(false);
    expect(await megabytes('swapped')).toBe(before);
  });

  it.each(['webgl', 'webgpu'])('ranks alike on %s, or says why it cannot', async (backend) => {
    const { page } = example;
    const choice = page.getByRole('radio', { name: backend });
    if (await choice.isDisabled()) {
      expect(await page.locator('label', { has: choice }).textContent()).toMatch(/\(.+\)/);
      return;
    }
    // Without a graphics card every sentence takes a second, and the first one of a length many more.
    await page.getByRole('radio', { name: 'wasm' }).check();
    await page.getByLabel('Your sentence').fill('What weather?');
    await page.getByLabel('Sentences to search').fill('Some money.\nHeavy rain.');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.locator('#original .ranking li:last-child', { hasText: 'money' }).waitFor(patient);
    await state(/^Ready$/);
    const scores = async () => {
      const texts = await page.locator('.columns .score').allTextContents();
      return texts.map((score) => Number.parseFloat(score.trim()));
    };
    const expected = await scores();
    expect(expected).toHaveLength(4);
    await choice.check();
    await state(/^Ready$/);
    // On webgl some of the original's cosines move by some thousandths.
    const apart = backend === 'webgl' ? 0.02 : 0.001;
    for (const [i, score] of (await scores()).entries())
      expect(Math.abs(score - expected[i]!)).toBeLessThanOrEqual(apart);
    for (const model of ['original', 'swapped']) expect((await ranking(model))[0]).toBe('Heavy rain.');
  });

  it('has nothing to complain of, and fits a phone', async () => {
    await example.page.setViewportSize({ width: 360, height: 740 });
    const overflow = await example.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await text('#error')).toBe('');
    expect(example.complaints).toEqual([]);
  });

  it('says that the graphics adapter was lost, and goes on without it', async () => {
    const { page } = example;
    if (!(await page.getByRole('radio', { name: 'webgpu' }).isChecked())) return;
    const session = await page.context().browser()!.newBrowserCDPSession();
    await session.send('Browser.crashGpuProcess').catch(() => {});
    await page.getByRole('button', { name: 'Search' }).click();
    await state(/^Searching failed$/);
    expect(await text('#error')).toMatch(/lost the graphics adapter of webgpu\. Choose another backend/);
    await page.getByRole('radio', { name: 'wasm' }).check();
    await state(/^Ready$/);
    expect(await page.locator('#error').isVisible()).toBe(false);
    await page.getByRole('radio', { name: 'webgpu' }).check();
    await state(/^Ready$/);
    expect((await ranking('original'))[0]).toBe('Heavy rain.');
  });
});
