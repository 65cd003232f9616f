/** What is refused before a byte is sent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { refusalOf } from '../src/upload/engine/limits.js';

const LIMITS = { tenant: 'default', maxSize: 1000, contentTypes: ['image/*', 'text/csv'] };

test('file larger than the limit is refused, and the limit is named', () => {
  assert.equal(refusalOf({ size: 1000, type: 'text/csv' }, LIMITS), null);
  const refusal = refusalOf({ size: 1001, type: 'text/csv' }, LIMITS);
  assert.match(refusal!.title, /Too large/);
  assert.match(refusal!.advice, /1\.0 KB/);
});

test('file of another type is refused, and the types are named', () => {
  assert.equal(refusalOf({ size: 1, type: 'image/png' }, LIMITS), null);
  assert.equal(refusalOf({ size: 1, type: 'TEXT/CSV; charset=utf-8' }, LIMITS), null);
  assert.match(refusalOf({ size: 1, type: 'imagery/png' }, LIMITS)!.advice, /image\/\*, text\/csv/);
});

test('file whose type the browser does not know is left to the broker', () => {
  assert.equal(refusalOf({ size: 1, type: '' }, LIMITS), null);
});

test('nothing is refused without limits', () => {
  const none = { tenant: 'default', maxSize: null, contentTypes: null };
  assert.equal(refusalOf({ size: 1e15, type: 'x/y' }, none), null);
});
