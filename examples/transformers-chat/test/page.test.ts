// The page as a person uses it.
import { fileURLToPath } from 'node:url';
import { type OpenedExample, openExample } from '@mhe/example-page/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const patient = { timeout: 200_000 };

describe('examples/transformers-chat', () => {
  let example: OpenedExample;

  beforeAll(async () => {
    example = await openExample(fileURLToPath(new URL('..', import.meta.url)));
  });
  afterAll(async () => {
    await example?.close();
  });

  const state = (pattern: RegExp) => example.page.locator('#state', { hasText: pattern }).waitFor(patient);
  const text = async (selector: string) => (await example.page.locator(selector).textContent()) ?? '';
  const answers = (model: string) => example.page.locator(`#${model} .assistant`).allTextContents();
  const press = (name: string) => example.page.getByRole('button', { name }).click();

  async function open(model: string): Promise<void> {
    await example.page.getByLabel('Hub id').fill(model);
    await example.page.getByLabel('Hub id').press('Enter');
  }

  /** Asks, and waits for both answers. */
  async function ask(message: string): Promise<void> {
    const { page } = example;
    await page.getByLabel('New tokens, at most').selectOption('16');
    await page.getByLabel('Your message').fill(message);
    await press('Send');
    await state(/^Ready$/);
  }

  async function swap(queryKey: string, value: string): Promise<void> {
    const { page } = example;
    await page.getByLabel('Query and key groups').selectOption(queryKey);
    await page.getByLabel('Value groups').selectOption(value);
    await page.getByLabel('Made-up texts to fit on').selectOption('50');
    await press('Swap');
    await state(/^Ready: 2 blocks swapped/);
  }

  it('loads the model that comes with it, and answers', async () => {
    await state(/^Ready$/);
    await ask('Who locked the gate?');
    expect(await answers('original')).toEqual([expect.stringMatching(/./)]);
    expect(await answers('swapped')).toEqual([]);
    expect(await text('#original .speed')).toMatch(/^\d+\.\d tokens a second$/);
    // Two layers of two heads of keys and of values, 8 wide.
    expect(await text('#original .cache-of-a-token')).toBe('256 bytes');
  });

  it('answers the same, swapped, out of half the cache', async () => {
    await swap('1', '1');
    expect(await text('#state')).toContain("a token's cache 256 -> 128 bytes");
    expect(await answers('original')).toEqual([]);
    await ask('Who locked the gate?');
    expect(await text('#agreement')).toMatch(
      /^Agreement: all \d+ tokens are the same; the cache is 50\.0 % smaller\.$/,
    );
    expect(await answers('swapped')).toEqual(await answers('original'));
    expect(await text('#swapped .cache-of-a-token')).toBe('128 bytes');
    const size = async (model: string) => {
      const found = /^([\d,]+) bytes for (\d+) tokens$/.exec(await text(`#${model} .cache`));
      return found?.slice(1).map((figure) => Number(figure.replaceAll(',', '')));
    };
    const [[original = 0, tokens = 0], swapped] = [(await size('original')) ?? [], await size('swapped')];
    expect(original).toBe(256 * tokens);
    expect(swapped).toEqual([original / 2, tokens]);
  });

  it('remembers what was said, and starts anew', async () => {
    const tokens = async () => Number(/for (\d+) tokens$/.exec(await text('#swapped .cache'))?.[1]);
    const before = await tokens();
    await ask('And the library?');
    expect(await answers('swapped')).toHaveLength(2);
    expect(await answers('swapped')).toEqual(await answers('original'));
    expect(await tokens()).toBeGreaterThan(before + 16);
    await press('Start anew');
    await state(/nothing said yet$/);
    expect(await answers('swapped')).toEqual([]);
    await ask('And the library?');
    expect(await tokens()).toBeLessThan(before + 16);
  });

  it('stops both answers, and remembers what was said till then', async () => {
    const { page } = example;
    const tokens = async (model: string) => Number(/for (\d+) tokens$/.exec(await text(`#${model} .cache`))?.[1]);
    await press('Start anew');
    await state(/nothing said yet$/);
    await page.getByLabel('New tokens, at most').selectOption('256');
    // With the first piece of the answer, however fast the model writes.
    await page.evaluate(() => {
      const said = document.querySelector('#original .conversation')!;
      const observer = new MutationObserver(() => {
        if (!said.querySelector('.assistant')?.textContent) return;
        observer.disconnect();
        document.querySelector<HTMLButtonElement>('#stop')!.click();
      });
      observer.observe(said, { childList: true, subtree: true });
    });
    await press('Send');
    await state(/^Stopped$/);
    expect(await page.getByRole('button', { name: 'Stop' }).isDisabled()).toBe(true);
    const stopped = await tokens('original');
    expect(stopped).toBeLessThan(256);
    // The other one had not begun.
    expect(await answers('swapped')).toEqual(['']);
    expect(await text('#agreement')).toBe('');
    await ask('And the library?');
    expect(await tokens('original')).toBeGreaterThan(stopped);
    expect((await answers('swapped'))[1]).toMatch(/./);
    await press('Start anew');
    await state(/nothing said yet$/);
  });

  it('draws tokens by the same chance', async () => {
    await example.page.getByLabel('Choice of tokens').selectOption('yes');
    await ask('Who locked the gate?');
    expect(await answers('swapped')).toEqual(await answers('original'));
    await example.page.getByLabel('Choice of tokens').selectOption('no');
  });

  it('takes the same swap from the cache the second time', async () => {
    await swap('1', '1');
    await state(/taken from the cache$/);
  });

  it('answers alike on webgpu, or says why it cannot', async () => {
    const { page } = example;
    const choice = page.getByRole('radio', { name: 'webgpu' });
    if (await choice.isDisabled()) {
      expect(await page.locator('label', { has: choice }).textContent()).toMatch(/\(.+\)/);
      return;
    }
    await ask('Rain');
    const expected = await answers('original');
    await choice.check();
    await state(/^Ready$/);
    await ask('Rain');
    expect(await answers('original')).toEqual(expected);
    expect(await answers('swapped')).toEqual(expected);
    expect(await text('#swapped .cache-of-a-token')).toBe('128 bytes');
    await page.getByRole('radio', { name: 'wasm' }).check();
    await state(/^Ready$/);
  });

  it('continues a text where the model is none of chats', async () => {
    await open('./gpt2-planted/');
    await example.page.locator('#swapped .quiet').waitFor(patient);
    await state(/^Ready$/);
    await ask('Rain');
    expect(await answers('original')).toHaveLength(1);
    expect(await text('#original .cache-of-a-token')).toBe('512 bytes');
  });

  it('has nothing to complain of, and fits a phone', async () => {
    await example.page.setViewportSize({ width: 360, height: 740 });
    const overflow = await example.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await text('#error')).toBe('');
    expect(example.complaints).toEqual([]);
  });

  it('says what is wrong with a model that is not there', async () => {
    await open('./nothing');
    await state(/^Fetching the model failed$/);
    expect(await text('#error')).toMatch(/nothing/);
    expect(await text('#error')).not.toContain('\n');
    expect(await example.page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
  });
});
