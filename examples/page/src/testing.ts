// Opens an example as a person would: built, served, in a real browser.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { build, type PreviewServer, preview } from 'vite';
import { findChromium } from '../../../scripts/find-chromium.mjs';

/** WebGPU without a graphics card. WebGL needs no flag. */
const softwareWebGpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-unsafe-swiftshader'];

/** An example in a browser. */
export interface OpenedExample {
  readonly page: Page;
  /** What the page wrote to the console as an error or a warning, and errors that nobody caught. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/**
 * Builds the example in a folder, serves it and opens it in headless Chromium.
 *
 * @param folder - of the example, with its `vite.config.ts`.
 */
export async function openExample(folder: string): Promise<OpenedExample> {
  const found = findChromium();
  if (found.path === null) throw new Error(found.missing);
  const outDir = await mkdtemp(join(tmpdir(), 'mhe-example-'));
  let server: PreviewServer | undefined;
  let browser: Browser | undefined;
  const close = async () => {
    await browser?.close();
    await server?.close();
    await rm(outDir, { recursive: true, force: true });
  };
  try {
    const config = { root: folder, logLevel: 'error', build: { outDir, emptyOutDir: true } } as const;
    await build(config);
    // Port 0: whichever is free.
    server = await preview({ ...config, preview: { host: '127.0.0.1', port: 0 } });
    const url = server.resolvedUrls?.local[0];
    if (!url) throw new Error(`${folder}: the built page is not served`);
    // As root, as in containers, Chromium has no sandbox.
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    browser = await chromium.launch({ executablePath: found.path, args: [...softwareWebGpu, ...sandbox] });
    const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
    await page.goto(url);
    return { page, complaints, close };
  } catch (error) {
    await close();
    throw error;
  }
}
