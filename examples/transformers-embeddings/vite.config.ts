import { transformersPageConfig } from '@mhe/example-page/vite';
import { defineConfig } from 'vite';

export default defineConfig(transformersPageConfig);
