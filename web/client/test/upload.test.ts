/**
 * Uploads that nothing disturbs.
 */
import assert from 'node:assert/strict';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { Crc64 } from 'upload-broker-client';
import type { Progress, UploadOptions, UploadSource } from 'upload-broker-client';

import { bytesOf, isStored, MIB, newClient, newPath } from './support/broker.js';

const client = newClient();

/** Uploads, and checks the receipt and the stored bytes. Returns the reported progress. */
async function uploadAndCheck(
  source: UploadSource,
  expected: Uint8Array,
  options: Partial<UploadOptions> = {},
): Promise<Progress[]> {
  const progress: Progress[] = [];
  const path = options.path ?? newPath();
  const receipt = await client.upload(source, {
    ...options,
    path,
    onProgress: (step) => progress.push(step),
  });
  assert.equal(receipt.status, 'Uploaded');
  assert.equal(receipt.path, path);
  assert.equal(receipt.object?.size, expected.length);
  if (options.checksum !== false) {
    assert.equal(receipt.verification?.level, 'checksum');
    assert.deepEqual(receipt.object?.checksum, new Crc64().update(expected).checksum());
  }
  assert.ok(await isStored(client, path, expected), 'the dataset has the bytes that were uploaded');
  assertMonotonic(progress, expected.length);
  return progress;
}

function assertMonotonic(progress: Progress[], size: number): void {
  const sent = progress.map((step) => step.sentBytes);
  assert.equal(sent[0], 0);
  assert.deepEqual(sent, [...sent].sort((a, b) => a - b), 'the progress never decreases');
  assert.deepEqual(progress.at(-1), { sentBytes: size, totalBytes: size });
}

test('buffer is uploaded in one request and proven by its checksum', async () => {
  const bytes = bytesOf(100_003);
  await uploadAndCheck(bytes, bytes);
});

test('empty file is uploaded and proven by its checksum', async () => {
  await uploadAndCheck(new Blob([]), new Uint8Array(0));
});

test('empty stream is uploaded and proven by its checksum', async () => {
  await uploadAndCheck(new Blob([]).stream(), new Uint8Array(0));
});

test('part of a buffer is uploaded without its surroundings', async () => {
  const bytes = bytesOf(1000).subarray(100, 200);
  await uploadAndCheck(bytes, bytes);
});

test('large Blob is uploaded in parts and proven by its checksum', async () => {
  const bytes = bytesOf(17 * MIB + 5);
  const progress = await uploadAndCheck(new Blob([bytes]), bytes, { partSize: 5 * MIB });
  assert.ok(progress.length >= 4, `${progress.length} steps for four parts`);
});

test('size that is a multiple of the part size has no empty last part', async () => {
  const bytes = bytesOf(10 * MIB);
  await uploadAndCheck(new Blob([bytes]), bytes, { partSize: 5 * MIB });
});

test('file on disk is uploaded in parts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'upload-'));
  const bytes = bytesOf(18 * MIB);
  try {
    const file = join(folder, 'file.bin');
    await writeFile(file, bytes);
    await uploadAndCheck(await openAsBlob(file), bytes);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('stream of unknown size is uploaded in parts and proven by its checksum', async () => {
  const bytes = bytesOf(12 * MIB + 1);
  const progress = await uploadAndCheck(new Blob([bytes]).stream(), bytes, { partSize: 5 * MIB });
  assert.equal(progress[0]?.totalBytes, null);
});

test('asynchronous iterable of small pieces is uploaded', async () => {
  const bytes = bytesOf(70_000);
  async function* pieces() {
    for (let offset = 0; offset < bytes.length; offset += 999) {
      yield bytes.subarray(offset, offset + 999);
    }
  }
  await uploadAndCheck(pieces(), bytes);
});

test('paths with spaces, slashes and characters of many scripts arrive unchanged', async () => {
  const bytes = bytesOf(10);
  const names = ['a b+c%20&=?#.csv', 'tiefer/Grüße.csv', '数据 📦.csv', "it's (1)!*.csv"];
  for (const name of names) {
    await uploadAndCheck(bytes, bytes, { path: newPath(name) });
  }
});

test('fields of the options are those of the upload', async () => {
  const receipt = await client.upload(bytesOf(10), {
    path: newPath('people.csv'),
    name: 'People',
    comments: 'A note',
    metadata: { team: 'hr' },
    contentType: 'text/plain',
    contentEncoding: 'identity',
    cacheControl: 'no-store',
    tags: { colour: 'blue' },
  });
  assert.equal(receipt.name, 'People');
  assert.equal(receipt.comments, 'A note');
  assert.deepEqual(receipt.metadata, { team: 'hr' });
  assert.equal(receipt.object?.content_type, 'text/plain');
});

test('type of a Blob becomes the content type', async () => {
  const receipt = await client.upload(new Blob(['{}'], { type: 'application/json' }), {
    path: newPath('data.unknown'),
  });
  assert.equal(receipt.object?.content_type, 'application/json');
});

test('without a checksum, the proof is one of the size', async () => {
  const bytes = bytesOf(11 * MIB);
  const path = newPath();
  const receipt = await client.upload(bytes, { path, checksum: false, partSize: 5 * MIB });
  assert.equal(receipt.verification?.level, 'size');
  assert.ok(await isStored(client, path, bytes));
});

test('given checksum is declared, and the store rejects other bytes', async () => {
  const checksum = new Crc64().update(bytesOf(10)).checksum();
  await uploadAndCheck(bytesOf(10), bytesOf(10), { checksum });
  const patient = newClient({ retry: { attempts: 2, delayMs: 1 } });
  await assert.rejects(
    patient.upload(bytesOf(10, 2), { path: newPath(), checksum }),
    (error: Error) => error.name === 'StoreError',
  );
});

test('overwrite replaces the dataset at the path', async () => {
  const path = newPath();
  await uploadAndCheck(bytesOf(10), bytesOf(10), { path });
  await uploadAndCheck(bytesOf(20, 2), bytesOf(20, 2), { path, overwrite: true });
});

test('ifMatch replaces the version that it names', async () => {
  const path = newPath();
  const first = await client.upload(bytesOf(10), { path });
  const ifMatch = first.object?.etag ?? '';
  await uploadAndCheck(bytesOf(20, 2), bytesOf(20, 2), { path, ifMatch });
});
