/**
 * How the page is built. The binary contains `dist/site` (see `embed.rs`), so two builds of the
 * same sources have to be equal byte for byte.
 */
import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vite';

import { compressFiles } from './compress.js';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [compressFiles()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: { alias: { 'upload-broker-client': here('../client/src/index.ts') } },
  build: {
    outDir: 'dist/site',
    target: 'es2022',
    // The content security policy of the page allows no inline script and no data: URL of one.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
});
