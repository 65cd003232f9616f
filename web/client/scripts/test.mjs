// Runs the tests against a real broker. TEST_BROKER_BINARY names the program; the default is the debug
// build of this repository. Arguments are names of test files without their ending: `npm test -- upload`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { startBroker } from './broker.mjs';

const TESTS = 'build/test';
/** The largest upload: a test exceeds it. */
const MAX_SIZE = 256 * 1024 * 1024;

const binary = resolve(process.env.TEST_BROKER_BINARY ?? '../../target/debug/upload-broker');
const settings = {
  BROKER_MAX_SIZE_BYTES: String(MAX_SIZE),
  BROKER_CORS_ORIGINS: 'http://localhost',
};

let tests;
const interruption = new AbortController();
// The broker and its data are removed when the run is interrupted, too.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    interruption.abort();
    tests?.kill('SIGTERM');
  });
}
const broker = await startBroker(binary, settings, interruption.signal);
try {
  process.exitCode = await runTests();
} finally {
  await broker.stop();
}
if (interruption.signal.aborted) {
  process.exitCode = 1;
}

async function runTests() {
  const wanted = process.argv.slice(2);
  const names = (await readdir(TESTS)).filter((name) => name.endsWith('.test.js'));
  const chosen = names.filter((name) => wanted.length === 0 || wanted.includes(name.slice(0, -8)));
  const files = chosen.map((name) => join(TESTS, name));
  const env = {
    ...process.env,
    TEST_BROKER_URL: broker.url,
    TEST_BROKER_KEY: broker.key,
    TEST_BROKER_MAX_SIZE: String(MAX_SIZE),
  };
  const options = ['--enable-source-maps', '--no-warnings', '--test', '--test-concurrency=2'];
  options.push('--test-reporter=spec');
  tests = spawn(process.execPath, [...options, ...files], { env, stdio: 'inherit' });
  const [exitCode] = await once(tests, 'exit');
  if (exitCode !== 0) {
    console.error(`The log of the broker:\n${broker.log.join('')}`);
  }
  return exitCode ?? 1;
}
