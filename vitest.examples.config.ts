import { defineConfig } from 'vitest/config';

// The example pages, each built, served and opened in Chromium: the test runs in Node and works the page.
export default defineConfig({
  test: {
    include: ['examples/*/test/**/*.test.ts'],
    environment: 'node',
    // Two pages at once would wait for each other's cores.
    fileParallelism: false,
    // What follows a failure in a page mostly waits in vain.
    bail: 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    slowTestThreshold: 30_000,
  },
});
