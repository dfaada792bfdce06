// The page as a person uses it.
import { fileURLToPath } from 'node:url';
import { type OpenedExample, openExample } from '@mhe/example-page/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const patient = { timeout: 200_000 };

describe('examples/tfjs-train', () => {
  let example: OpenedExample;

  beforeAll(async () => {
    example = await openExample(fileURLToPath(new URL('..', import.meta.url)));
  });
  afterAll(async () => {
    await example?.close();
  });

  const state = (text: string) => example.page.locator('#state', { hasText: new RegExp(`^${text}$`) }).waitFor(patient);
  const button = (name: string) => example.page.getByRole('button', { name, exact: true });
  const atStep = (step: number) =>
    example.page.waitForFunction(
      (least) => Number(document.querySelector<HTMLOutputElement>('#step')?.value.replaceAll(',', '')) >= least,
      step,
      patient,
    );
  const step = async () => Number(await example.page.locator('#step').textContent());
  /** The numbers of a table, a row for each kind. */
  const numbers = async (table: string) => {
    const rows = await example.page.locator(`${table} tbody tr`).all();
    const texts = await Promise.all(rows.map((row) => row.locator('td').allTextContents()));
    return texts.map((cells) => cells.map((text) => Number(text.replaceAll(',', ''))));
  };

  it('counts parameters as the models have them', async () => {
    await state('Ready');
    const [mha, add, mul] = await numbers('#parameters');
    const [attention, model, cache] = [4, 5, 6] as const;
    for (const mhe of [add, mul]) {
      expect(mha![model]! - mhe![model]!).toBe(mha![attention]! - mhe![attention]!);
      expect(mhe![attention]).toBeLessThan(0.6 * mha![attention]!);
      expect(mhe![cache]).toBe(mha![cache]! / 4);
    }
  });

  let first: number[];
  let firstOfSeven: number[];

  it('brings all three losses down, and pauses', async () => {
    await button('Start').click();
    await state('Training');
    await atStep(30);
    await button('Pause').click();
    await state('Paused');
    const losses = await numbers('#losses');
    first = losses.map(([loss]) => loss!);
    for (const [before, now] of losses) expect(now).toBeLessThan(before! - 0.8);
    const paused = await step();
    await example.page.waitForTimeout(1000);
    expect(await step()).toBe(paused);
    await button('Go on').click();
    await atStep(paused + 2);
  });

  it('starts anew with the same seed alike, with another one otherwise', async () => {
    await button('Reset').click();
    await state('Ready');
    expect(await step()).toBe(0);
    await button('Start').click();
    await atStep(1);
    expect((await numbers('#losses')).map(([loss]) => loss)).toEqual(first);
    await example.page.getByLabel('Seed').fill('7');
    await example.page.getByLabel('Seed').press('Tab');
    await state('Ready');
    await button('Start').click();
    await atStep(1);
    firstOfSeven = (await numbers('#losses')).map(([loss]) => loss!);
    expect(firstOfSeven).not.toEqual(first);
  });

  // On webgpu without a graphics card a step takes a minute of compiling; packages/tfjs tests it layer by layer.
  it.each(['webgpu', 'webgl'])('takes %s, or says why it cannot', async (backend) => {
    const choice = example.page.getByRole('radio', { name: backend });
    if (await choice.isDisabled()) {
      expect(await example.page.locator('label', { has: choice }).textContent()).toMatch(/\(.+\)/);
      return;
    }
    await choice.check();
    await state('Ready');
    expect(await step()).toBe(0);
    if (backend === 'webgpu') return;
    await button('Start').click();
    await atStep(1);
    // Other arithmetic, the same start.
    const firstHere = (await numbers('#losses')).map(([loss]) => loss!);
    for (const [i, loss] of firstHere.entries()) expect(loss).toBeCloseTo(firstOfSeven[i]!, 2);
    await button('Pause').click();
    await state('Paused');
  });

  it('has nothing to complain of, and fits a phone', async () => {
    await example.page.setViewportSize({ width: 360, height: 740 });
    const overflow = await example.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await example.page.locator('#error').textContent()).toBe('');
    expect(example.complaints).toEqual([]);
  });
});
