/**
 * The broker that `scripts/test.mjs` has started.
 */
import { BrokerClient } from 'upload-broker-client';
import type { ConnectionOptions } from 'upload-broker-client';

function variable(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: start the tests with npm test`);
  }
  return value;
}

export const brokerUrl = variable('TEST_BROKER_URL');
export const brokerKey = variable('TEST_BROKER_KEY');
/** The size limit of the broker in bytes. */
export const maxSize = Number(variable('TEST_BROKER_MAX_SIZE'));

export const MIB = 1024 * 1024;

/** A client with all rights. */
export function newClient(options: Partial<ConnectionOptions> = {}): BrokerClient {
  return new BrokerClient({ url: brokerUrl, credential: brokerKey, ...options });
}

let paths = 0;

/** A path that no other test uses. */
export function newPath(name = 'data.bin'): string {
  paths += 1;
  return `/tests/${process.pid}-${paths}/${name}`;
}

/** Bytes without a short period, so that parts cannot be confused. */
export function bytesOf(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = seed;
  for (let index = 0; index < words.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[index] = state ^ (state >>> 16);
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** Downloads a dataset and compares it. */
export async function isStored(
  client: BrokerClient,
  path: string,
  expected: Uint8Array,
): Promise<boolean> {
  const response = await client.download(path);
  const found = Buffer.from(await response.arrayBuffer());
  return found.equals(expected);
}

/** All values of an asynchronous iterable. */
export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) {
    all.push(value);
  }
  return all;
}
