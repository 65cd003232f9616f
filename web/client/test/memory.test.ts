/**
 * Memory. This file has a process of its own, so that no other test changes the figures.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MIB, newClient, newPath } from './support/broker.js';

const SIZE = 200 * MIB;
/** Five parts of 8 MiB, once more for copies on their way to the network, and garbage. */
const LIMIT = 120 * MIB;

test('stream of 200 MiB needs a bounded amount of memory', async () => {
  const piece = new Uint8Array(64 * 1024).fill(7);
  async function* pieces() {
    for (let sent = 0; sent < SIZE; sent += piece.length) {
      yield piece;
    }
  }
  const before = process.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 5);
  const receipt = await newClient().upload(pieces(), { path: newPath() });
  clearInterval(watch);
  assert.equal(receipt.object?.size, SIZE);
  assert.equal(receipt.verification?.level, 'checksum');
  const used = Math.round((peak - before) / MIB);
  console.log(`${used} MiB more at the peak`);
  assert.ok(peak - before < LIMIT, `${used} MiB more at the peak`);
});
