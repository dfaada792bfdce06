import { fileURLToPath } from 'node:url';

/**
 * What the pages have in common.
 *
 * @satisfies {import('vite').UserConfig}
 */
export const pageConfig = {
  base: './',
  worker: { format: /** @type {const} */ ('es') },
  // The libraries are large whatever one does.
  build: { target: 'es2022', chunkSizeWarningLimit: 4000 },
};

/**
 * What the pages of transformers.js have in common: they are served with the small models that the package's tests run on.
 * What is not there is not there: as a single page the server would answer with the page itself, and the library would take
 * that for a model's file.
 *
 * @satisfies {import('vite').UserConfig}
 */
export const transformersPageConfig = {
  ...pageConfig,
  appType: /** @type {const} */ ('mpa'),
  publicDir: fileURLToPath(new URL('../../../packages/transformers/test/fixtures', import.meta.url)),
};
