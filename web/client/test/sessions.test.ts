/**
 * Sessions: abort, resumption, conflicts and refusals.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BrokerError, ConflictError, SessionEndedError } from 'upload-broker-client';
import type { UploadOptions } from 'upload-broker-client';

import { brokerUrl, bytesOf, isStored, maxSize, MIB } from './support/broker.js';
import { newClient, newPath } from './support/broker.js';
import { StoreProxy } from './support/proxy.js';

const client = newClient();

/** A client that counts the requests to the store. */
function countingClient() {
  const store = new StoreProxy(brokerUrl, () => 'pass');
  const count = async () => {
    const seen = (await store.proxy)?.seen ?? [];
    return seen.filter(({ method }) => method === 'PUT').length;
  };
  return { client: newClient({ fetch: store.fetch }), count, stop: () => store.stop() };
}

async function statusesAt(path: string): Promise<string[]> {
  const answer = await client.api.GET('/uploads', { params: { query: { path } } });
  return (answer.data ?? []).map(({ status }) => status);
}

/** Aborts an upload in parts after the first part. */
async function abortAfterFirstPart(options: UploadOptions, bytes: Uint8Array<ArrayBuffer>) {
  const controller = new AbortController();
  const reason = new Error('the user has left');
  const upload = client.upload(new Blob([bytes]), {
    ...options,
    parallel: 1,
    signal: controller.signal,
    onProgress: ({ sentBytes }) => {
      if (sentBytes > 0) {
        controller.abort(reason);
      }
    },
  });
  await assert.rejects(upload, reason);
}

test('aborted upload rejects with the reason of the signal and is cancelled', async () => {
  const path = newPath();
  await abortAfterFirstPart({ path, partSize: 5 * MIB }, bytesOf(15 * MIB));
  assert.deepEqual(await statusesAt(path), ['Cancelled']);
});

test('upload with an aborted signal sends nothing', async () => {
  const path = newPath();
  const upload = client.upload(bytesOf(10), { path, signal: AbortSignal.abort() });
  await assert.rejects(upload, { name: 'AbortError' });
  assert.deepEqual(await statusesAt(path), []);
});

test('abort ends an upload whose stream is waiting for bytes', async () => {
  let isReleased = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytesOf(6 * MIB)),
    cancel: () => {
      isReleased = true;
    },
  });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 300);
  const options = { path: newPath(), partSize: 5 * MIB, signal: controller.signal };
  await assert.rejects(client.upload(stream, options), { name: 'AbortError' });
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(isReleased, 'the stream is released');
});

test('stream that fails makes the upload fail, and is cancelled', async () => {
  const path = newPath();
  async function* broken() {
    yield bytesOf(6 * MIB);
    throw new Error('the disk is broken');
  }
  const upload = client.upload(broken(), { path, partSize: 5 * MIB });
  await assert.rejects(upload, /the disk is broken/);
  assert.deepEqual(await statusesAt(path), ['Cancelled']);
});

test('aborted upload with a key resumes with the parts that are missing', async () => {
  const bytes = bytesOf(22 * MIB);
  const options = { path: newPath(), partSize: 5 * MIB, idempotencyKey: newPath('key') };
  await abortAfterFirstPart(options, bytes);
  assert.deepEqual(await statusesAt(options.path), ['Pending']);

  const counting = countingClient();
  const receipt = await counting.client.upload(new Blob([bytes]), options);
  assert.equal(receipt.verification?.level, 'checksum');
  assert.ok(await isStored(client, options.path, bytes));
  const puts = await counting.count();
  await counting.stop();
  assert.ok(puts >= 3 && puts <= 4, `${puts} of 5 parts were sent again`);
});

test('resumption with other bytes of the same size uploads the new bytes', async () => {
  const options = { path: newPath(), partSize: 5 * MIB, idempotencyKey: newPath('key') };
  await abortAfterFirstPart(options, bytesOf(12 * MIB, 1));
  const changed = bytesOf(12 * MIB, 2);
  const receipt = await client.upload(new Blob([changed]), options);
  assert.equal(receipt.verification?.level, 'checksum');
  assert.ok(await isStored(client, options.path, changed));
});

test('key of a finished upload returns its receipt and sends nothing', async () => {
  for (const [size, partSize] of [[1000, undefined], [11 * MIB, 5 * MIB]] as const) {
    const options = { path: newPath(), partSize, idempotencyKey: newPath('key') };
    const first = await client.upload(bytesOf(size), options);
    const counting = countingClient();
    const second = await counting.client.upload(bytesOf(size), options);
    assert.equal(second.id, first.id);
    assert.deepEqual(second.verification, first.verification);
    assert.equal(await counting.count(), 0);
    await counting.stop();
  }
});

test('key of a cancelled upload is reported', async () => {
  const options = { path: newPath(), partSize: 5 * MIB, idempotencyKey: newPath('key') };
  await abortAfterFirstPart(options, bytesOf(12 * MIB));
  const { path } = options;
  const uploads = await client.api.GET('/uploads', { params: { query: { path } } });
  await client.cancelUpload(uploads.data?.[0]?.id ?? '');
  await assert.rejects(client.upload(new Blob([bytesOf(12 * MIB)]), options), (error) => {
    return error instanceof SessionEndedError && error.upload.status === 'Cancelled';
  });
});

test('key with other bytes in one request is refused', async () => {
  const options = { path: newPath(), idempotencyKey: newPath('key') };
  await client.upload(bytesOf(10, 1), options);
  await assert.rejects(client.upload(bytesOf(10, 2), options), (error) => {
    return error instanceof BrokerError && error.code === 'idempotency-key-reused';
  });
});

test('path with an acknowledged dataset is a conflict', async () => {
  const path = newPath();
  const first = await client.upload(bytesOf(10), { path });
  await assert.rejects(client.upload(bytesOf(10), { path }), (error) => {
    return error instanceof ConflictError && error.problem.upload_id === first.id;
  });
});

test('upload that loses a race to its path is a conflict', async () => {
  for (const size of [1000, 11 * MIB]) {
    const path = newPath();
    const bytes = bytesOf(size);
    const uploads = [1, 2].map(() => client.upload(bytes, { path, partSize: 5 * MIB }));
    const results = await Promise.allSettled(uploads);
    const failures = results.filter((result) => result.status === 'rejected');
    assert.equal(failures.length, 1);
    assert.ok(failures[0]?.reason instanceof ConflictError, String(failures[0]?.reason));
    assert.ok(await isStored(client, path, bytes));
  }
});

test('ifMatch with a version that is gone is a conflict', async () => {
  for (const size of [1000, 11 * MIB]) {
    const path = newPath();
    const options = { path, partSize: 5 * MIB };
    await client.upload(bytesOf(10), { path });
    const replaced = client.upload(bytesOf(size), { ...options, ifMatch: '"0123456789abcdef"' });
    await assert.rejects(replaced, (error) => error instanceof ConflictError);
    assert.ok(await isStored(client, path, bytesOf(10)), 'nothing was replaced');
  }
});

test('upload above the size limit is refused before any byte is sent', async () => {
  const tooLarge = new Blob(Array.from({ length: maxSize / MIB + 1 }, () => new Uint8Array(MIB)));
  await assert.rejects(client.upload(tooLarge, { path: newPath() }), (error) => {
    return error instanceof BrokerError && error.code === 'size-limit-exceeded';
  });
});

test('wrong key is refused', async () => {
  const stranger = newClient({ credential: 'ubk_wrong' });
  await assert.rejects(stranger.upload(bytesOf(10), { path: newPath() }), (error) => {
    return error instanceof BrokerError && error.status === 401 && error.code === 'unauthenticated';
  });
});

test('invalid path is refused with the field that is wrong', async () => {
  await assert.rejects(client.upload(bytesOf(10), { path: '/a/../b' }), (error) => {
    return error instanceof BrokerError && error.problem.errors?.[0]?.pointer === '/path';
  });
});

test('upload token without the right to read uploads and resumes', async () => {
  const created = await client.api.POST('/tokens', { body: { prefix: '/tests/' } });
  const token = created.data?.token ?? '';
  const bytes = bytesOf(11 * MIB);
  for (const options of [
    { credential: () => token },
    { credential: undefined, url: `${brokerUrl}/t/${token}` },
  ]) {
    const browser = newClient(options);
    const upload = { path: newPath(), partSize: 5 * MIB, idempotencyKey: newPath('key') };
    const signal = AbortSignal.timeout(60);
    await browser.upload(new Blob([bytes]), { ...upload, signal }).catch(() => undefined);
    const receipt = await browser.upload(new Blob([bytes]), upload);
    assert.equal(receipt.verification?.level, 'checksum');
  }
});
