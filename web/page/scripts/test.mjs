// Runs the unit tests: Vite builds them as it builds the page, and Node's test runner runs them.
// Arguments are names of test files without their ending: `npm test -- paths`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const tests = join(root, 'test');
const output = join(root, 'build');
const wanted = process.argv.slice(2);

const names = (await readdir(tests)).filter((name) => name.endsWith('.test.ts'));
const chosen = names.filter((name) => wanted.length === 0 || wanted.includes(basename(name, '.test.ts')));
if (chosen.length === 0) {
  throw new Error(`No test has one of the names: ${wanted.join(', ')}`);
}
await rm(output, { recursive: true, force: true });
await build({
  root,
  logLevel: 'warn',
  ssr: { noExternal: true },
  build: {
    ssr: true,
    outDir: output,
    sourcemap: true,
    rollupOptions: { input: chosen.map((name) => join(tests, name)) },
  },
});
const files = chosen.map((name) => join(output, name.replace(/\.ts$/, '.js')));
const run = spawn(process.execPath, ['--enable-source-maps', '--test', ...files], { stdio: 'inherit' });
const [code] = await once(run, 'exit');
process.exitCode = code ?? 1;
