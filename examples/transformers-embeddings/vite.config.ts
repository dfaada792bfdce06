import { fileURLToPath } from 'node:url';
import { pageConfig } from '@mhe/example-page/vite';
import { defineConfig } from 'vite';

// The page is served with the small models that the package's tests run on. What is not there is not there: as a single
// page the server would answer with the page itself, and the library would take that for a model's file.
const models = fileURLToPath(new URL('../../packages/transformers/test/fixtures', import.meta.url));

export default defineConfig({ ...pageConfig, publicDir: models, appType: 'mpa' });
