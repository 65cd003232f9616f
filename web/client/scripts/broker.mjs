// Starts `upload-broker dev` with a state of its own, for the tests of this package and of
// `tests/browser`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_LIMIT_MS = 120_000;

/**
 * A running broker with its embedded Postgres and store.
 *
 * @typedef {object} RunningBroker
 * @property {string} url The address of the API.
 * @property {string} storeUrl The address of the embedded store.
 * @property {string} key An API key with all scopes.
 * @property {string[]} log What the broker has printed.
 * @property {() => Promise<void>} stop Stops the broker and removes its data.
 */

/**
 * Starts the broker, and waits until it is ready. It is stopped when the signal is aborted, too.
 *
 * @param {string} binary The path of the program.
 * @param {Record<string, string>} settings Environment variables in addition to those of this process.
 * @param {AbortSignal} [signal]
 * @returns {Promise<RunningBroker>}
 */
export async function startBroker(binary, settings, signal) {
  const folder = await mkdtemp(join(tmpdir(), 'upload-broker-client-'));
  // Postgres runs as another user if the tests run as root.
  await chmod(folder, 0o755);
  const url = `http://127.0.0.1:${await freePort()}`;
  const storeUrl = `http://127.0.0.1:${await freePort()}`;
  const env = {
    ...process.env,
    BROKER_BIND: new URL(url).host,
    BROKER_DEV_S3_BIND: new URL(storeUrl).host,
    BROKER_DEV_DIR: join(folder, 'dev'),
    RUST_LOG: process.env.RUST_LOG ?? 'warn',
    ...settings,
  };
  const child = spawn(binary, ['dev', '--fresh'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  /** @type {string[]} */
  const log = [];
  child.stdout.on('data', (text) => log.push(String(text)));
  child.stderr.on('data', (text) => log.push(String(text)));
  child.on('error', (error) => log.push(`${binary}: ${error.message}\n`));
  const exited = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  const interrupt = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', interrupt);
  const stop = async () => {
    signal?.removeEventListener('abort', interrupt);
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(child, url);
    const key = (await readFile(join(folder, 'dev', 'api-key'), 'utf8')).trim();
    return { url, storeUrl, key, log, stop };
  } catch (cause) {
    await stop();
    throw new Error(`${binary} does not start:\n${log.join('')}`, { cause });
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} url
 */
async function ready(child, url) {
  const end = Date.now() + START_LIMIT_MS;
  while (Date.now() < end && child.exitCode === null && child.pid !== undefined) {
    const response = await fetch(`${url}/readyz`).catch(() => undefined);
    if (response?.ok) {
      return;
    }
    await sleep(50);
  }
  throw new Error(`${url} does not become ready`);
}

/** A port that was free a moment ago. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}
