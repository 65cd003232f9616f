/**
 * Many small uploads with few requests.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BrokerError, checksumOf, ConflictError, randomKey } from 'upload-broker-client';
import type { CreateUpload, Upload } from 'upload-broker-client';

import { bytesOf, isStored, maxSize, newClient, newPath } from './support/broker.js';

/** A blob, and the request for its session. */
async function describe(path: string, size: number): Promise<{ blob: Blob; body: CreateUpload }> {
  const blob = new Blob([bytesOf(size, size + 1)]);
  return { blob, body: { path, size, checksum: await checksumOf(blob), multipart: false } };
}

function made(result: Upload | BrokerError | undefined): Upload {
  assert.ok(result && !(result instanceof BrokerError), String(result));
  return result;
}

test('batch of small files is created, sent and proven, and its results keep their order', async () => {
  const client = newClient();
  const files = await Promise.all([0, 1, 1000, 70_000].map((size) => describe(newPath(), size)));
  const bodies = files.map(({ body }) => body);
  const sessions = (await client.createUploads(bodies)).map(made);
  await Promise.all(sessions.map((session, index) => client.sendBytes(session, files[index]!.blob)));
  const claims = sessions.map(({ id }) => ({ id }));
  const receipts = (await client.acknowledgeUploads(claims)).map(made);
  for (const [index, receipt] of receipts.entries()) {
    const { blob, body } = files[index]!;
    assert.equal(receipt.path, body.path);
    assert.equal(receipt.verification?.level, 'checksum');
    assert.ok(await isStored(client, body.path, new Uint8Array(await blob.arrayBuffer())));
  }
});

test('refused entries are errors in their places, and do not affect the others', async () => {
  const client = newClient();
  const taken = newPath();
  await client.upload(new Blob(['first']), { path: taken });
  const free = await describe(newPath(), 10);
  const [tooLarge, session, conflict] = await client.createUploads([
    { path: newPath(), size: maxSize + 1, multipart: false },
    free.body,
    { path: taken, size: 1 },
  ]);
  assert.ok(tooLarge instanceof BrokerError && tooLarge.code === 'size-limit-exceeded');
  assert.ok(conflict instanceof ConflictError);
  const { id } = made(session);
  const [missing, unknown] = await client.acknowledgeUploads([
    { id },
    { id: '01955114-3a41-7d52-b0a4-2c6f1d8e9b05' },
  ]);
  assert.ok(missing instanceof BrokerError && missing.code === 'object-missing');
  assert.ok(unknown instanceof BrokerError && unknown.status === 404);
});

test('repeated batch with the same key returns the same sessions', async () => {
  const client = newClient();
  const bodies = [(await describe(newPath(), 3)).body, (await describe(newPath(), 4)).body];
  const idempotencyKey = randomKey();
  const first = (await client.createUploads(bodies, { idempotencyKey })).map(made);
  const second = (await client.createUploads(bodies, { idempotencyKey })).map(made);
  assert.deepEqual(second.map(({ id }) => id), first.map(({ id }) => id));
});

test('bytes that are sent twice are reported as occupied, and acknowledged once', async () => {
  const client = newClient();
  const { blob, body } = await describe(newPath(), 5000);
  const session = made((await client.createUploads([body]))[0]);
  assert.equal(await client.sendBytes(session, blob), 'sent');
  assert.equal(await client.sendBytes(session, blob), 'occupied');
  const [receipt] = await client.acknowledgeUploads([{ id: session.id }]);
  assert.equal(made(receipt).verification?.level, 'checksum');
});

test('upload reports its session before its bytes are sent', async () => {
  const client = newClient();
  let session: Upload | undefined;
  const onSession = (upload: Upload) => (session = upload);
  const receipt = await client.upload(new Blob(['bytes']), { path: newPath(), onSession });
  assert.equal(session?.id, receipt.id);
  assert.equal(session?.status, 'Pending');
});
