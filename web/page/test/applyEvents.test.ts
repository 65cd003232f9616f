/** Live events in a listing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry, UploadEvent } from 'upload-broker-client';

import { applyEvents } from '../src/browse/applyEvents.js';

const FOLDER = { prefix: '/d/', isFlat: false, isComplete: true };

function row(path: string, id = 'u1', more: object = {}): Entry {
  const upload = { id, status: 'Uploaded' as const, verification: null };
  return { name: path, path, size: 1, etag: '"1"', last_modified: '2026-01-01T00:00:00Z', upload, ...more };
}

function event(type: UploadEvent['type'], path: string, id = 'u1', data: object = {}): UploadEvent {
  return {
    id: `${type} ${path}`, upload_id: id, sequence: 1, type, time: '2026-02-01T00:00:00.000Z',
    published_at: null, undeliverable_at: null,
    data: { path, status: 'Uploaded', name: 'N', size: 7, etag: '"7"', verification: null, ...data },
  };
}

const apply = (rows: Entry[], events: UploadEvent[], range: object = {}) => {
  const { rows: after, isStale } = applyEvents(rows, events, { ...FOLDER, ...range });
  return { paths: after.map(({ path }) => path), after, isStale };
};

test('new dataset appears at its place, with what the event says', () => {
  const { paths, after, isStale } = apply([row('/d/a'), row('/d/c')], [event('dataset.uploaded', '/d/b', 'u2')]);
  assert.deepEqual(paths, ['/d/a', '/d/b', '/d/c']);
  assert.deepEqual(after[1], {
    name: 'N', path: '/d/b', size: 7, etag: '"7"', last_modified: '2026-02-01T00:00:00.000Z',
    upload: { id: 'u2', status: 'Uploaded', verification: null },
  });
  assert.equal(isStale, false);
});

test('dataset that is replaced keeps its row', () => {
  const { after } = apply([row('/d/a', 'u1', { drifted: true })], [event('dataset.uploaded', '/d/a', 'u2')]);
  assert.equal(after.length, 1);
  assert.equal('size' in after[0]! && after[0].size, 7);
  assert.ok(!('drifted' in after[0]!));
});

test('new dataset in a folder below appears as that folder, once', () => {
  const events = [event('dataset.uploaded', '/d/sub/x'), event('dataset.uploaded', '/d/sub/deep/y')];
  const { after } = apply([row('/d/a')], events);
  assert.deepEqual(after[1], { kind: 'folder', name: 'sub', path: '/d/sub/' });
  assert.equal(after.length, 2);
  assert.deepEqual(apply([], events, { isFlat: true }).paths, ['/d/sub/deep/y', '/d/sub/x']);
});

test('events outside of the folder, and beyond the last page so far, change nothing', () => {
  const rows = [row('/d/a'), row('/d/m')];
  const outside = [event('dataset.uploaded', '/other/x'), event('dataset.uploaded', '/d2')];
  assert.equal(applyEvents(rows, outside, FOLDER).rows, rows);
  const beyond = [event('dataset.uploaded', '/d/z', 'u2'), event('dataset.uploaded', '/d/b', 'u3')];
  assert.deepEqual(apply(rows, beyond, { isComplete: false }).paths, ['/d/a', '/d/b', '/d/m']);
});

test('deleted dataset disappears, unless a later upload stands there', () => {
  assert.deepEqual(apply([row('/d/a')], [event('dataset.deleted', '/d/a')]).paths, []);
  assert.deepEqual(apply([row('/d/a', 'u2')], [event('dataset.deleted', '/d/a', 'u1')]).paths, ['/d/a']);
});

test('what events do not say is read again', () => {
  const drifted = row('/d/a', 'u1', { drifted: true });
  // The object of the other program may have stayed.
  assert.deepEqual(apply([drifted], [event('dataset.deleted', '/d/a')]), {
    paths: ['/d/a'], after: [drifted], isStale: true,
  });
  assert.equal(apply([row('/d/a')], [event('dataset.drifted', '/d/a', 'u1', { drift: 'replaced' })]).isStale, true);
  const folder: Entry = { kind: 'folder', name: 'sub', path: '/d/sub/' };
  assert.equal(apply([folder], [event('dataset.deleted', '/d/sub/x')]).isStale, true);
});

test('object that is missing disappears, and the status follows its jobs', () => {
  const missing = event('dataset.drifted', '/d/a', 'u1', { drift: 'missing' });
  assert.deepEqual(apply([row('/d/a')], [missing]).paths, []);
  const events = [
    event('dataset.uploaded', '/d/a', 'u2'),
    event('dataset.processing', '/d/a', 'u2', { status: 'Processing' }),
    event('dataset.superseded', '/d/a', 'u1', { status: 'Superseded' }),
  ];
  const { after } = apply([row('/d/a')], events);
  assert.equal('upload' in after[0]! && after[0].upload?.status, 'Processing');
});
