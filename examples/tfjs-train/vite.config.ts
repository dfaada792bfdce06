import { pageConfig } from '@mhe/example-page/vite';
import { defineConfig } from 'vite';

export default defineConfig(pageConfig);
