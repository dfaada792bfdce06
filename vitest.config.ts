import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: {
      '@mhe/core': source('./packages/core/src/index.ts'),
      '@mhe/onnx': source('./packages/onnx/src/index.ts'),
      '@mhe/tfjs': source('./packages/tfjs/src/index.ts'),
      '@mhe/transformers': source('./packages/transformers/src/index.ts'),
    },
  },
  test: {
    include: ['packages/*/test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/*.browser.test.ts'],
    environment: 'node',
    // By default one core is left idle, which is half of a small machine.
    maxWorkers: '100%',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    slowTestThreshold: 10_000,
  },
});
