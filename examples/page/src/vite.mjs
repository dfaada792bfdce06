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
