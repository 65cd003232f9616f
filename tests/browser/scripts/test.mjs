// Runs the tests. Each file starts a broker and a browser of its own. Arguments are names of test files
// without their ending: `npm test -- uppy`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';

const wanted = process.argv.slice(2);
const names = readdirSync('build').filter((name) => name.endsWith('.test.js'));
const chosen = names.filter((name) => wanted.length === 0 || wanted.includes(name.slice(0, -8)));
if (chosen.length === 0) {
  throw new Error(`no such tests: ${wanted.join(' ')}`);
}
const options = ['--enable-source-maps', '--no-warnings', '--test', '--test-concurrency=2'];
options.push('--test-reporter=spec');
const tests = spawn(process.execPath, [...options, ...chosen.map((name) => `build/${name}`)], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => tests.kill('SIGTERM'));
}
const [code] = await once(tests, 'exit');
process.exitCode = code ?? 1;
