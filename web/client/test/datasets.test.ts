/**
 * Lists, downloads and removals.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BrokerError } from 'upload-broker-client';

import { bytesOf, collect, newClient, newPath } from './support/broker.js';

const client = newClient();

const nameOf = (index: number) => String(index).padStart(5, '0');

/** Uploads many small datasets with few requests to the broker. */
async function uploadMany(folder: string, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => nameOf(index));
  for (let first = 0; first < count; first += 1000) {
    const some = names.slice(first, first + 1000);
    const uploads = some.map((name) => ({ path: folder + name, size: 1 }));
    const answer = await client.api.POST('/uploads/batch', { body: { uploads } });
    const left = answer.data?.results ?? [];
    const send = async () => {
      for (let result = left.pop(); result; result = left.pop()) {
        assert.ok('upload' in result && result.upload.upload, 'a session with a URL');
        const { url, headers } = result.upload.upload;
        const response = await fetch(url, { method: 'PUT', headers, body: 'x' });
        await response.arrayBuffer();
        assert.equal(response.status, 200);
      }
    };
    await Promise.all(Array.from({ length: 8 }, send));
  }
}

test('list continues past the first thousand entries, in order and without gaps', async () => {
  const folder = newPath('');
  const count = 1_050;
  await uploadMany(folder, count);
  const expected = Array.from({ length: count }, (_, index) => folder + nameOf(index));
  for (const pageSize of [undefined, 500]) {
    const entries = await collect(client.list({ prefix: folder, pageSize }));
    assert.deepEqual(entries.map(({ path }) => path), expected);
  }
});

test('list that is left early requests no further page', async () => {
  const folder = newPath('');
  await uploadMany(folder, 5);
  let requests = 0;
  const counting = newClient({
    fetch: (url, init) => {
      requests += 1;
      return fetch(url, init);
    },
  });
  for await (const entry of counting.list({ prefix: folder, pageSize: 2 })) {
    if (entry.path === `${folder}00002`) {
      break;
    }
  }
  assert.equal(requests, 2);
});

test('list with a delimiter shows folders, and uploads on request', async () => {
  const folder = newPath('');
  await client.upload(bytesOf(3), { path: `${folder}a.csv` });
  await client.upload(bytesOf(3), { path: `${folder}deeper/b.csv` });
  const entries = await collect(client.list({ prefix: folder, delimiter: '/', include: 'upload' }));
  const [dataset, deeper] = entries.sort((a, b) => (a.path ?? '').localeCompare(b.path ?? ''));
  assert.ok(dataset && 'size' in dataset && dataset.upload?.verification?.level === 'checksum');
  assert.ok(deeper && 'kind' in deeper && deeper.path === `${folder}deeper/`);
});

test('download returns the bytes, a range of them, and a URL', async () => {
  const path = newPath('a b.bin');
  const bytes = bytesOf(1000);
  await client.upload(bytes, { path });
  const whole = await client.download(path);
  assert.deepEqual(new Uint8Array(await whole.arrayBuffer()), bytes);
  const range = await client.download(path, { range: 'bytes=10-19' });
  assert.equal(range.status, 206);
  assert.deepEqual(new Uint8Array(await range.arrayBuffer()), bytes.subarray(10, 20));
  const { url } = await client.downloadUrl(path, { disposition: 'attachment' });
  const linked = await fetch(url);
  assert.match(linked.headers.get('content-disposition') ?? '', /attachment/);
  await linked.arrayBuffer();
});

test('download of a dataset that does not exist is refused', async () => {
  await assert.rejects(client.download(newPath()), (error) => {
    return error instanceof BrokerError && error.status === 404;
  });
});

test('remove returns whether there was a dataset', async () => {
  const path = newPath();
  await client.upload(bytesOf(3), { path });
  assert.equal(await client.remove(path), true);
  assert.equal(await client.remove(path), false);
  await assert.rejects(client.getDataset(path), (error) => {
    return error instanceof BrokerError && error.status === 404;
  });
});

test('upload can be read by its id', async () => {
  const receipt = await client.upload(bytesOf(3), { path: newPath() });
  assert.deepEqual(await client.getUpload(receipt.id), { ...receipt });
});
