// Bundles each file of tests with the sources of the repository that it uses. Packages stay outside.
import { readdirSync, rmSync } from 'node:fs';

import { build } from 'esbuild';

rmSync('build', { recursive: true, force: true });
const folders = ['uppy', 'dropzone', 'page', 'bench'];
const entryPoints = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /\.(test|bench)\.ts$/.test(name))
    .map((name) => `${folder}/${name}`),
);
await build({
  entryPoints,
  outdir: 'build',
  outbase: '.',
  entryNames: '[name]',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  alias: { 'upload-broker-client': '../../web/client/src/index.ts' },
  external: ['playwright-core', 'esbuild', 'axe-core'],
  logLevel: 'warning',
});
