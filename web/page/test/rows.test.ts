/** The list of files, and how a run is announced. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { foundInList } from '../src/upload/collect/found.js';
import { describeRun } from '../src/upload/state/run-words.js';
import { RowList } from '../src/upload/state/rows.js';

const FILE = new File(['abc'], 'a.bin');

test('rows are shown relative to their folder, filtered and cleared by their state', () => {
  const rows = new RowList();
  rows.add(
    [1, 2, 3].map((id) => ({ id, file: FILE, path: `/in/photos/${id}.jpg`, details: {} })),
    '/in/',
  );
  const change = { sentBytes: 3, error: null, receipt: null };
  rows.apply([
    { id: 1, path: '/in/photos/1.jpg', state: 'done', ...change },
    { id: 2, path: '/in/photos/2 (2).jpg', state: 'failed', ...change },
  ]);
  assert.deepEqual(rows.all.map(({ label }) => label), ['photos/1.jpg', '2 (2).jpg', 'photos/3.jpg']);
  assert.deepEqual(rows.filter('failed').map(({ id }) => id), [2]);
  assert.deepEqual(rows.filter('open').map(({ id }) => id), [3]);
  rows.clearEnded();
  assert.deepEqual(rows.filter('all').map(({ id }) => id), [2, 3]);
  assert.equal(rows.get(1), undefined);
});

test('files are handed over in chunks, with their paths below the chosen folder', async () => {
  const files = Array.from({ length: 450 }, (_, index) => new File([], `${index}`));
  const sizes: number[] = [];
  for await (const chunk of foundInList(files)) {
    sizes.push(chunk.length);
  }
  assert.deepEqual(sizes, [200, 200, 50]);
  const nested = Object.assign(new File([], 'b.txt'), { webkitRelativePath: 'a/b.txt' });
  const chunk = await foundInList([nested]).next();
  assert.equal(chunk.value?.[0]?.relativePath, 'a/b.txt');
});

test('result of a run is one sentence', () => {
  assert.equal(describeRun({ done: 12, failed: 1, skipped: 0, cancelled: 0 }), '12 files uploaded, 1 failed');
  assert.equal(describeRun({ done: 1, failed: 0, skipped: 2, cancelled: 3 }), '1 file uploaded, 2 skipped, 3 cancelled');
});
