// Runs the tests against a real broker: starts `upload-broker dev` with a state of its own, and
// stops it at the end. TEST_BROKER_BINARY names the program; the default is the debug build of this
// repository. Arguments are names of test files without their ending: `npm test -- upload`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_LIMIT_MS = 60_000;
const TESTS = 'build/test';
/** The largest upload: a test exceeds it. */
const MAX_SIZE = 256 * 1024 * 1024;

const binary = resolve(process.env.TEST_BROKER_BINARY ?? '../../target/debug/upload-broker');
const folder = await mkdtemp(join(tmpdir(), 'upload-broker-client-'));
// Postgres runs as another user if the tests run as root.
await chmod(folder, 0o755);

let code = 1;
let tests;
let isInterrupted = false;
const broker = await startBroker();
// The broker and its data are removed when the run is interrupted, too.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    isInterrupted = true;
    (tests ?? broker.process).kill('SIGTERM');
  });
}
try {
  await ready();
  code = await runTests();
} finally {
  broker.process.kill('SIGTERM');
  await broker.exited;
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = isInterrupted ? 1 : code;

async function startBroker() {
  const port = await freePort();
  const s3Port = await freePort();
  const env = {
    ...process.env,
    BROKER_BIND: `127.0.0.1:${port}`,
    BROKER_DEV_S3_BIND: `127.0.0.1:${s3Port}`,
    BROKER_DEV_DIR: join(folder, 'dev'),
    BROKER_MAX_SIZE_BYTES: String(MAX_SIZE),
    BROKER_CORS_ORIGINS: 'http://localhost',
    RUST_LOG: process.env.RUST_LOG ?? 'warn',
  };
  const child = spawn(binary, ['dev', '--fresh'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  child.stdout.on('data', (text) => log.push(text));
  child.stderr.on('data', (text) => log.push(text));
  child.on('error', (error) => log.push(`${binary}: ${error.message}\n`));
  const exited = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  return { process: child, exited, log, url: `http://127.0.0.1:${port}` };
}

async function ready() {
  const end = Date.now() + START_LIMIT_MS;
  while (Date.now() < end && broker.process.exitCode === null && broker.process.pid !== undefined) {
    const response = await fetch(`${broker.url}/readyz`).catch(() => undefined);
    if (response?.ok) {
      return;
    }
    await sleep(50);
  }
  throw new Error(`${binary} does not start:\n${broker.log.join('')}`);
}

async function runTests() {
  const wanted = process.argv.slice(2);
  const names = (await readdir(TESTS)).filter((name) => name.endsWith('.test.js'));
  const chosen = names.filter((name) => wanted.length === 0 || wanted.includes(name.slice(0, -8)));
  const files = chosen.map((name) => join(TESTS, name));
  const env = {
    ...process.env,
    TEST_BROKER_URL: broker.url,
    TEST_BROKER_KEY: (await readFile(join(folder, 'dev', 'api-key'), 'utf8')).trim(),
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

/** A port that was free a moment ago. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
