/**
 * Memory. This file has a process of its own, so that no other test changes the figures.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MIB, newClient, newPath } from './support/broker.js';

/** Uploads a stream of this size. Returns the largest resident size meanwhile, in MiB. */
async function peakOf(size: number): Promise<number> {
  const piece = new Uint8Array(64 * 1024).fill(7);
  async function* pieces() {
    for (let sent = 0; sent < size; sent += piece.length) {
      yield piece;
    }
  }
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 2);
  // The watch would keep the process alive after a failure.
  const upload = newClient().upload(pieces(), { path: newPath() });
  const receipt = await upload.finally(() => clearInterval(watch));
  assert.equal(receipt.object?.size, size);
  assert.equal(receipt.verification?.level, 'checksum');
  return Math.round(peak / MIB);
}

test('memory does not grow with the size of a stream', async () => {
  const before = Math.round(process.memoryUsage().rss / MIB);
  const short = await peakOf(64 * MIB);
  const long = await peakOf(240 * MIB);
  const figures = `${before} MiB before, ${short} MiB with 64 MiB, ${long} MiB with 240 MiB`;
  console.log(figures);
  // Five parts of 8 MiB are held, and what the garbage collector has not freed yet, which differs from run
  // to run. A client that held everything would need 176 MiB more.
  assert.ok(long - short < 140, figures);
});
