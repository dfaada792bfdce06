import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { findChromium } from './scripts/find-chromium.mjs';
import node from './vitest.config.ts';

const chromium = findChromium();
if (chromium.path === null) throw new Error(chromium.missing);

// WebGPU without a graphics card. WebGL needs no flag.
const softwareWebGpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-unsafe-swiftshader'];

export default defineConfig({
  ...node,
  logLevel: 'warn',
  test: {
    ...node.test,
    // Core's forms, which need nothing of Node, and what only a browser can show.
    include: ['packages/core/test/attention-*.test.ts', 'packages/*/test/**/*.browser.test.ts'],
    exclude: ['**/node_modules/**'],
    // The emulated graphics card is one, and takes a core of its own.
    maxWorkers: 1,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath: chromium.path, args: softwareWebGpu } }),
      instances: [{ browser: 'chromium' }],
    },
  },
});
