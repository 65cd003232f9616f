/** Questions about paths that are taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Conflicts } from '../src/upload/engine/conflicts.js';
import type { Question } from '../src/upload/engine/messages.js';
import { rowOf } from '../src/upload/engine/row.js';
import type { Row } from '../src/upload/engine/row.js';

function newConflicts() {
  let asked: Question | null = null;
  const applied: [number, string][] = [];
  const conflicts = new Conflicts(
    (question) => (asked = question),
    (row, choice) => applied.push([row.id, choice]),
  );
  const row = (id: number): Row =>
    rowOf({ id, file: new File([], 'a'), path: `/in/${id}`, details: {} }, `key-${id}`);
  return { conflicts, row, applied, asked: () => asked as Question | null };
}

test('one question is asked at a time, in order', () => {
  const { conflicts, row, applied, asked } = newConflicts();
  [1, 2, 3].forEach((id) => conflicts.add(row(id)));
  assert.deepEqual(asked(), { id: 1, path: '/in/1', others: 2 });
  conflicts.answer(1, 'skip', false);
  assert.deepEqual(asked(), { id: 2, path: '/in/2', others: 1 });
  assert.deepEqual(applied, [[1, 'skip']]);
});

test('answer for all is used for files that come later, until it is forgotten', () => {
  const { conflicts, row, applied, asked } = newConflicts();
  conflicts.add(row(1));
  conflicts.add(row(2));
  conflicts.answer(1, 'replace', true);
  conflicts.add(row(3));
  assert.equal(asked(), null);
  assert.deepEqual(applied, [[1, 'replace'], [2, 'replace'], [3, 'replace']]);
  conflicts.forgetChoice();
  conflicts.add(row(4));
  assert.equal(asked()?.id, 4);
});

test('cancelled file is not asked about', () => {
  const { conflicts, row, asked } = newConflicts();
  const [first, second] = [row(1), row(2)];
  conflicts.add(first);
  conflicts.add(second);
  conflicts.remove([first]);
  assert.equal(asked()?.id, 2);
  conflicts.remove([second]);
  assert.equal(asked(), null);
});

test('copy whose path is taken, too, gets the next number without a question', () => {
  const { conflicts, row, applied, asked } = newConflicts();
  conflicts.add({ ...row(1), copyNumber: 2 });
  assert.deepEqual(applied, [[1, 'keep-both']]);
  assert.equal(asked(), null);
});
