/**
 * Uploads as in a browser: by XMLHttpRequest, with CORS, from Dropzone and from a React component.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { element, fileOf, select } from './support/browser.js';

import { act, createElement } from 'react';
import { createRoot } from 'react-dom/client';

import type { Progress, Upload } from 'upload-broker-client';

import { makeDropzone } from '../examples/dropzone.js';
import { Uploader } from '../examples/react/Uploader.js';
import { bytesOf, isStored, MIB, newClient, newPath } from './support/broker.js';

const client = newClient();

/** Waits until a condition holds. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!holds()) {
    assert.ok(Date.now() < end, `${what}: ${element('root').innerHTML}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('file is uploaded by XMLHttpRequest, with progress', async () => {
  for (const size of [0, 3 * MIB, 17 * MIB]) {
    const bytes = bytesOf(size);
    const path = newPath();
    const progress: Progress[] = [];
    const receipt = await client.upload(fileOf(bytes, 'data.bin'), {
      path,
      onProgress: (step) => progress.push(step),
    });
    assert.equal(receipt.verification?.level, 'checksum');
    assert.ok(await isStored(client, path, bytes));
    const sent = progress.map((step) => step.sentBytes);
    assert.deepEqual(sent, [...sent].sort((a, b) => a - b), 'the progress never decreases');
    assert.equal(sent.at(-1), size);
    assert.ok(size <= 16 * MIB || sent.some((one) => one > 0 && one < size), `${sent}`);
  }
});

test('abort ends a request in progress, and the next call resumes', async () => {
  const bytes = bytesOf(17 * MIB);
  const options = { path: newPath(), partSize: 5 * MIB, idempotencyKey: newPath('key') };
  const controller = new AbortController();
  const aborted = client.upload(fileOf(bytes, 'data.bin'), {
    ...options,
    signal: controller.signal,
    onProgress: ({ sentBytes }) => sentBytes > 0 && controller.abort(new Error('stopped')),
  });
  await assert.rejects(aborted, /stopped/);
  const receipt = await client.upload(fileOf(bytes, 'data.bin'), options);
  assert.equal(receipt.verification?.level, 'checksum');
});

test('without crypto.randomUUID, as on plain http, keys are made all the same', async () => {
  const { randomUUID } = crypto;
  Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true });
  try {
    const receipts = await Promise.all(
      [1, 2].map((seed) => client.upload(bytesOf(10, seed), { path: newPath() })),
    );
    assert.notEqual(receipts[0]?.id, receipts[1]?.id);
  } finally {
    Object.defineProperty(crypto, 'randomUUID', { value: randomUUID, configurable: true });
  }
});

test('Dropzone uploads its chunks as the parts of an upload', async () => {
  const folder = newPath('');
  const dropzone = makeDropzone(element('dropzone'), client, folder);
  const ended = new Map<string, Upload | string>();
  dropzone.on('success', (file) => ended.set(file.name, file.receipt));
  dropzone.on('error', (file, message) => ended.set(file.name, String(message)));
  await client.upload(bytesOf(1), { path: `${folder}taken.bin` });
  const files = new Map([
    ['large.bin', bytesOf(19 * MIB)],
    ['small.bin', bytesOf(10)],
    ['taken.bin', bytesOf(10)],
  ]);
  for (const [name, bytes] of files) {
    dropzone.addFile(fileOf(bytes, name) as Parameters<typeof dropzone.addFile>[0]);
  }
  await until('all files end', () => ended.size === files.size);
  for (const name of ['large.bin', 'small.bin']) {
    const receipt = ended.get(name);
    assert.ok(typeof receipt === 'object', `${name}: ${receipt}`);
    assert.equal(receipt.verification?.level, 'checksum');
    assert.ok(await isStored(client, folder + name, files.get(name)!));
  }
  assert.match(String(ended.get('taken.bin')), /dataset-exists/);
  dropzone.destroy();
});

test('React component uploads the selected file, and shows a conflict', async () => {
  const folder = newPath('');
  const bytes = bytesOf(100);
  const receipts: Upload[] = [];
  const root = createRoot(element('root'));
  const properties = { broker: client, folder, onUploaded: (one: Upload) => receipts.push(one) };
  await act(async () => root.render(createElement(Uploader, properties)));
  const input = element('root').querySelector('input')!;
  const status = () => element('root').querySelector('[role=status]')!.textContent ?? '';

  await act(async () => {
    select(input, fileOf(bytes, 'a.bin'));
    await until('the first file arrives', () => receipts.length === 1);
  });
  assert.equal(status(), `${folder}a.bin has arrived`);
  assert.ok(await isStored(client, `${folder}a.bin`, bytes));

  await act(async () => {
    select(input, fileOf(bytesOf(50), 'a.bin'));
    await new Promise((resolve) => setTimeout(resolve, 500));
  });
  assert.match(status(), /dataset-exists/);
  assert.equal(receipts.length, 1);
  await act(async () => root.unmount());
});
