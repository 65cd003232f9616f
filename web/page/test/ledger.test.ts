/** The sums of all files, and what is reported. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { Ledger } from '../src/upload/engine/ledger.js';
import type { FileState, Report } from '../src/upload/engine/messages.js';
import { rowOf } from '../src/upload/engine/row.js';
import type { Row } from '../src/upload/engine/row.js';

/** A ledger, and what it has reported. */
function newLedger() {
  const reports: Report[] = [];
  const ended: number[] = [];
  const ledger = new Ledger((report) => reports.push(report), (row) => ended.push(row.id));
  let nextId = 1;
  const add = (size: number): Row => {
    const file = new File([new Uint8Array(size)], 'a.bin');
    const row = rowOf({ id: nextId++, file, path: '/a.bin', details: {} }, `key-${nextId}`);
    ledger.add(row);
    return row;
  };
  const last = () => reports.filter((report) => report.kind === 'changed').at(-1)!;
  const results = () => reports.flatMap((report) => (report.kind === 'ended' ? [report.result] : []));
  return { ledger, add, reports, ended, last, results };
}

test('changes are reported together, at most five times a second, with changed rows only', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { ledger, add, reports, last } = newLedger();
  const rows = [add(100), add(100), add(100)];
  assert.equal(reports.length, 0);
  t.mock.timers.tick(200);
  assert.equal(reports.length, 1);
  assert.equal(last().rows.length, 3);
  for (let bytes = 1; bytes <= 50; bytes++) {
    ledger.setSent(rows[1]!, bytes);
  }
  ledger.setState(rows[1]!, 'sending');
  t.mock.timers.tick(200);
  assert.equal(reports.length, 2);
  assert.deepEqual(last().rows.map(({ id, sentBytes }) => [id, sentBytes]), [[2, 50]]);
  assert.equal(last().totals.sentBytes, 50);
  assert.equal(last().totals.totalBytes, 300);
  mock.timers.reset();
});

test('run ends once, with its numbers, when no file is open', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { ledger, add, results, ended } = newLedger();
  const states: FileState[] = ['done', 'done', 'failed', 'skipped', 'cancelled'];
  const rows = states.map(() => add(10));
  rows.slice(0, 4).forEach((row, index) => ledger.setState(row, states[index]!));
  t.mock.timers.tick(5000);
  assert.deepEqual(results(), []);
  ledger.setState(rows[4]!, 'cancelled');
  t.mock.timers.tick(5000);
  assert.deepEqual(results(), [{ done: 2, failed: 1, skipped: 1, cancelled: 1 }]);
  assert.deepEqual(ended, [1, 2, 3, 4, 5]);
});

test('bytes of files that ended without a dataset do not count, and a new run begins at zero', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { ledger, add, last } = newLedger();
  const [first, second] = [add(100), add(50)];
  ledger.setSent(first, 60);
  ledger.setState(first, 'failed');
  ledger.setState(second, 'done');
  t.mock.timers.tick(200);
  assert.deepEqual([last().totals.sentBytes, last().totals.totalBytes], [50, 50]);
  add(70);
  t.mock.timers.tick(200);
  assert.deepEqual([last().totals.sentBytes, last().totals.totalBytes], [0, 70]);
  assert.equal(last().totals.counts.done, 1);
  ledger.remove([second]);
  ledger.setState(first, 'waiting');
  t.mock.timers.tick(200);
  assert.deepEqual([last().totals.sentBytes, last().totals.totalBytes], [0, 170]);
  assert.equal(last().totals.counts.done, 0);
});
