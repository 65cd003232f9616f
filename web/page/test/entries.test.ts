/** The order of entries. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from 'upload-broker-client';

import { compareKeys, formatSort, lastSegment, parseSort, sortEntries } from '../src/browse/entries.js';
import { rangeBetween, selectable } from '../src/browse/selection.js';

const dataset = (path: string, size = 0, time = '2026-01-01T00:00:00.000Z'): Entry => ({
  name: path, path, size, etag: '"e"', last_modified: time,
});
const folder = (path: string): Entry => ({ name: path, path, kind: 'folder' });
const paths = (entries: Entry[]) => entries.map(({ path }) => path);

test('keys are compared by code points, as S3 compares them', () => {
  assert.ok(compareKeys('/a', '/b') < 0);
  assert.ok(compareKeys('/a', '/a/') < 0);
  assert.equal(compareKeys('/a', '/a'), 0);
  // U+FF41 is before U+1F600, although its UTF-16 unit is larger.
  assert.ok(compareKeys('/\uff41', '/\u{1f600}') < 0);
  assert.ok(compareKeys('/\u{1f600}', '/\u{1f601}') < 0);
});

test('one page is sorted with folders first, and numbers as numbers', () => {
  const entries = [dataset('/d/10.csv'), dataset('/d/9.csv'), folder('/d/z/')];
  const sort = parseSort('name');
  assert.deepEqual(paths(sortEntries(entries, sort, true)), ['/d/z/', '/d/9.csv', '/d/10.csv']);
  assert.equal(sortEntries(entries, sort, false), entries);
});

test('entries are sorted by size and date, in both directions', () => {
  const entries = [
    dataset('/b', 2, '2026-01-01T00:00:00.000Z'),
    dataset('/a', 3, '2026-01-02T00:00:00.000Z'),
    dataset('/c', 2, '2025-01-01T00:00:00.000Z'),
  ];
  assert.deepEqual(paths(sortEntries(entries, parseSort('size'), true)), ['/b', '/c', '/a']);
  assert.deepEqual(paths(sortEntries(entries, parseSort('-size'), true)), ['/a', '/c', '/b']);
  assert.deepEqual(paths(sortEntries(entries, parseSort('-date'), false)), ['/a', '/b', '/c']);
  assert.deepEqual(paths(entries), ['/b', '/a', '/c']);
});

test('order in the address is read and written; an unknown one is by name', () => {
  for (const text of ['name', '-name', 'size', '-date']) {
    assert.equal(formatSort(parseSort(text)), text);
  }
  assert.equal(formatSort(parseSort(null)), 'name');
  assert.equal(formatSort(parseSort('-colour')), 'name');
});

test('last segment of a path keeps the slash of a folder', () => {
  assert.equal(lastSegment('/data/a.csv'), 'a.csv');
  assert.equal(lastSegment('/data/2026/'), '2026/');
  assert.equal(lastSegment('/data/'), 'data/');
});

test('only datasets with a path can be selected, and ranges go both ways', () => {
  const odd: Entry = { ...dataset('x'), path: null, key: 'a//b', addressable: false };
  const all = selectable([folder('/f/'), dataset('/a'), odd, dataset('/b'), dataset('/c')]);
  assert.deepEqual(all, ['/a', '/b', '/c']);
  assert.deepEqual(rangeBetween(all, '/a', '/c'), ['/a', '/b', '/c']);
  assert.deepEqual(rangeBetween(all, '/c', '/b'), ['/b', '/c']);
  assert.deepEqual(rangeBetween(all, '/gone', '/b'), ['/b']);
  assert.deepEqual(rangeBetween(all, undefined, '/b'), ['/b']);
});
