// The page as a person uses it.
import { fileURLToPath } from 'node:url';
import { type OpenedExample, openExample } from '@mhe/example-page/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const patient = { timeout: 200_000 };

describe('examples/transformers-embeddings', () => {
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
  const scores = async (model: string) => {
    const texts = await example.page.locator(`#${model} .score`).allTextContents();
    return texts.map((score) => Number.parseFloat(score.trim()));
  };
  const bytes = async (model: string) => Number.parseFloat(await text(`#${model} .size`));
  const likeness = async () => Number(/vectors (\S+)\.$/.exec(await text('#agreement'))?.[1]);

  async function swap(queryKey: string, value: string): Promise<void> {
    const { page } = example;
    await page.getByLabel('Query and key groups').selectOption(queryKey);
    await page.getByLabel('Value groups').selectOption(value);
    await page.getByLabel('Made-up texts to fit on').selectOption('50');
    await page.getByRole('button', { name: 'Swap' }).click();
    await state(/^Ready: 2 blocks swapped/);
  }

  it('loads the model that comes with it, and ranks the texts', async () => {
    await state(/^Ready$/);
    expect(await ranking('original')).toHaveLength(9);
    expect(await text('#original .time')).toMatch(/^\d+\.\d ms/);
    expect(await text('#original .load')).toMatch(/^\d+ ms$/);
    expect(await bytes('original')).toBeCloseTo(0.12, 2);
    expect(await ranking('swapped')).toEqual([]);
    const first = (await ranking('original'))[0] ?? '';
    await example.page.getByLabel('Your text').fill(first);
    await example.page.getByLabel('Your text').press('Enter');
    await example.page.locator('#original .score', { hasText: '1.000' }).waitFor(patient);
    expect((await ranking('original'))[0]).toBe(first);
  });

  it('swaps each head for itself and ranks alike', async () => {
    await swap('heads', 'heads');
    expect(await likeness()).toBe(1);
    expect(await ranking('swapped')).toEqual(await ranking('original'));
    expect(await scores('swapped')).toEqual(await scores('original'));
  });

  it('swaps heads that share to one projection for all: smaller, and nearly alike', async () => {
    await swap('1', '1');
    expect(await bytes('swapped')).toBeLessThan(await bytes('original'));
    expect(await likeness()).toBeGreaterThan(0.99);
    expect(await text('#agreement')).toContain('the same sentence first');
    expect(await text('#state')).toMatch(/[1-9]\d* parameters saved$/);
  });

  it('takes the same swap from the cache the second time', async () => {
    await swap('1', '1');
    await state(/taken from the cache$/);
  });

  it('leaves what there is when a swap is cancelled', async () => {
    const before = await bytes('swapped');
    await example.page.getByLabel('Embedding').selectOption('add');
    await example.page.getByRole('button', { name: 'Swap' }).click();
    await example.page.getByRole('button', { name: 'Cancel' }).click();
    await state(/^Cancelled$/);
    expect(await example.page.locator('#progress').isVisible()).toBe(false);
    expect(await bytes('swapped')).toBe(before);
  });

  it('ranks alike on webgpu, or says why it cannot', async () => {
    const { page } = example;
    const choice = page.getByRole('radio', { name: 'webgpu' });
    if (await choice.isDisabled()) {
      expect(await page.locator('label', { has: choice }).textContent()).toMatch(/\(.+\)/);
      return;
    }
    const expected = [await scores('original'), await scores('swapped')];
    await choice.check();
    await state(/^(Loading|Searching)/);
    await state(/^Ready$/);
    for (const [i, name] of (['original', 'swapped'] as const).entries()) {
      const actual = await scores(name);
      expect(actual).toHaveLength(9);
      for (const [j, score] of actual.entries()) expect(Math.abs(score - expected[i]![j]!)).toBeLessThan(2e-3);
    }
    await page.getByRole('radio', { name: 'wasm' }).check();
    await state(/^Ready$/);
  });

  it('opens another folder, and forgets the model before', async () => {
    await example.page.getByLabel('Hub id').fill('./mpnet/');
    await example.page.getByRole('button', { name: 'Open' }).click();
    await example.page.locator('#swapped .quiet').waitFor(patient);
    await state(/^Ready$/);
    expect(await ranking('original')).toHaveLength(9);
    expect(await ranking('swapped')).toEqual([]);
  });

  it('has nothing to complain of, and fits a phone', async () => {
    await example.page.setViewportSize({ width: 360, height: 740 });
    const overflow = await example.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await text('#error')).toBe('');
    expect(example.complaints).toEqual([]);
  });

  it('says what is wrong with a model that is not there', async () => {
    for (const [entered, says] of [
      ['nothing', /^nothing: give a hub id/],
      ['./nothing', /nothing/],
    ] as const) {
      await example.page.getByLabel('Hub id').fill(entered);
      await example.page.getByRole('button', { name: 'Open' }).click();
      await state(/^Fetching the model failed$/);
      expect(await text('#error')).toMatch(says);
      expect(await text('#error')).not.toContain('\n');
      expect(await example.page.getByRole('button', { name: 'Search' }).isDisabled()).toBe(true);
      expect(await example.page.getByRole('button', { name: 'Open' }).isEnabled()).toBe(true);
    }
  });
});
