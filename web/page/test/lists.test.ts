/** Lists in pages, snippets, and filters of the address. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inTurn } from '../src/browse/inTurn.js';
import { snippetParts } from '../src/browse/snippet.js';
import { auditQuery } from '../src/operators/auditFilter.js';
import { mergeNewest } from '../src/ui/mergeNewest.js';

const rows = (...ids: string[]) => ids.map((id) => ({ id }));

test('first page that is read again replaces the newest rows, and keeps the older ones', () => {
  const merged = mergeNewest(rows('5', '4', '3', '2', '1'), rows('6', '5', '3'), false);
  assert.deepEqual(merged, rows('6', '5', '3', '2', '1'));
  assert.deepEqual(mergeNewest(rows('2', '1'), rows('2'), true), rows('2'));
  assert.deepEqual(mergeNewest(rows('1'), [], true), []);
});

test('snippet is divided at its marks, and nothing else is read in it', () => {
  assert.deepEqual(snippetParts('The ⟦quarterly⟧ ⟦report⟧ <b>'), [
    { text: 'The ', isMatch: false },
    { text: 'quarterly', isMatch: true },
    { text: ' ', isMatch: false },
    { text: 'report', isMatch: true },
    { text: ' <b>', isMatch: false },
  ]);
  assert.deepEqual(snippetParts('a ⟦ b'), [{ text: 'a ⟦ b', isMatch: false }]);
  assert.deepEqual(snippetParts(''), []);
});

test('filter of the audit has the times in UTC, and leaves out what is empty', () => {
  assert.deepEqual(auditQuery({ action: 'upload.deleted', prefix: '', since: '2026-03-01T10:00', until: 'x' }), {
    action: ['upload.deleted'],
    prefix: undefined,
    since: new Date(2026, 2, 1, 10).toISOString(),
    until: undefined,
  });
});

test('action that fails on one dataset goes on with the others, some at a time', async () => {
  let running = 0;
  let most = 0;
  const done: string[] = [];
  const failures = await inTurn(['a', 'b', 'c', 'd'], 2, new AbortController().signal, async (path) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    if (path === 'b') {
      throw new Error('no');
    }
    done.push(path);
  });
  assert.deepEqual(failures.map(({ path }) => path), ['b']);
  assert.deepEqual(done, ['a', 'c', 'd']);
  assert.equal(most, 2);
});

test('nothing further is started after an abort', async () => {
  const controller = new AbortController();
  const started: string[] = [];
  await inTurn(['a', 'b', 'c'], 1, controller.signal, async (path) => {
    started.push(path);
    controller.abort();
  });
  assert.deepEqual(started, ['a']);
});
