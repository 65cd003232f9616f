/**
 * Uploads and requests while the network or the servers fail.
 */
import assert from 'node:assert/strict';
import { openAsBlob, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import type { ConnectionOptions, Progress } from 'upload-broker-client';

import { brokerUrl, bytesOf, collect, isStored, MIB } from './support/broker.js';
import { newClient, newPath } from './support/broker.js';
import { FaultyProxy, StoreProxy } from './support/proxy.js';
import type { Fate, Seen } from './support/proxy.js';

const direct = newClient();
const quick = { retry: { delayMs: 1 } };

/** A rule that lets the first requests that match fail, one fate for each. */
function failFirst(matches: (request: Seen) => boolean, ...fates: Fate[]) {
  const left = [...fates];
  return (request: Seen): Fate => (matches(request) ? (left.shift() ?? 'pass') : 'pass');
}

/** Runs with a client whose broker is behind a proxy. */
async function withBrokerProxy(
  rule: (request: Seen) => Fate,
  run: (client: ReturnType<typeof newClient>, proxy: FaultyProxy) => Promise<void>,
  options: Partial<ConnectionOptions> = quick,
) {
  const proxy = await FaultyProxy.start(brokerUrl, rule);
  try {
    await run(newClient({ ...options, url: proxy.url }), proxy);
  } finally {
    await proxy.stop();
  }
}

/** Runs with a client whose store is behind a proxy. */
async function withStoreProxy(
  rule: (request: Seen) => Fate,
  run: (
    client: ReturnType<typeof newClient>,
    seen: () => Promise<Fate[]>,
    toBroker: string[],
  ) => Promise<void>,
) {
  const store = new StoreProxy(brokerUrl, rule);
  const seen = async () => ((await store.proxy)?.seen ?? []).map(({ fate }) => fate);
  try {
    await run(newClient({ ...quick, fetch: store.fetch }), seen, store.toBroker);
  } finally {
    await store.stop();
  }
}

const isPut = ({ method }: Seen) => method === 'PUT';

test('every request of an upload survives a lost answer of the broker', async () => {
  const failed = new Set<string>();
  const loseEachFirst = ({ method, path }: Seen): Fate => {
    const kind = `${method} ${path.replace(/[0-9a-f-]{36}/, 'ID')}`;
    const isFirst = !failed.has(kind);
    failed.add(kind);
    return isFirst ? 'lose-answer' : 'pass';
  };
  await withBrokerProxy(loseEachFirst, async (client) => {
    const bytes = bytesOf(11 * MIB);
    for (const source of [new Blob([bytes]).stream(), new Blob([bytes])]) {
      const path = newPath();
      const receipt = await client.upload(source, { path, partSize: 5 * MIB });
      assert.equal(receipt.verification?.level, 'checksum');
      const uploads = await direct.api.GET('/uploads', { params: { query: { path } } });
      assert.equal(uploads.data?.length, 1, 'the repeated create made no second upload');
    }
  });
  assert.ok(failed.has('POST /uploads') && failed.has('POST /uploads/ID/acknowledge'));
});

test('answer that is cut in the middle is requested again', async () => {
  const path = newPath();
  await direct.upload(bytesOf(10), { path });
  const rule = failFirst(() => true, 'half-answer', 'cut');
  await withBrokerProxy(rule, async (client, proxy) => {
    assert.equal((await client.getDataset(path)).size, 10);
    assert.equal(proxy.seen.length, 3);
  });
});

test('Retry-After of the broker is waited for', async () => {
  const rule = failFirst(() => true, 'overloaded');
  await withBrokerProxy(rule, async (client) => {
    const started = Date.now();
    await client.upload(bytesOf(10), { path: newPath() });
    assert.ok(Date.now() - started >= 1000, `${Date.now() - started} ms`);
  });
});

test('request that must not be repeated is not repeated', async () => {
  await withBrokerProxy(
    () => 'lose-answer',
    async (client, proxy) => {
      const claim = client.api.POST('/jobs/claim', { body: { processor: 'none' } });
      await assert.rejects(claim, { name: 'UnavailableError' });
      assert.equal(proxy.seen.length, 1);
    },
  );
});

test('broker that does not answer is reported after the time limit', async () => {
  const client = newClient({
    retry: { attempts: 2, delayMs: 1 },
    timeoutMs: 20,
    fetch: (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      }),
  });
  await assert.rejects(client.getDataset('/a'), { name: 'UnavailableError' });
});

test('single upload survives cut connections and an overloaded store', async () => {
  const rule = failFirst(isPut, 'cut', 'overloaded', 'cut');
  await withStoreProxy(rule, async (client, seen) => {
    const bytes = bytesOf(3 * MIB);
    const path = newPath();
    const receipt = await client.upload(bytes, { path });
    assert.equal(receipt.verification?.level, 'checksum');
    assert.ok(await isStored(direct, path, bytes));
    assert.deepEqual(await seen(), ['cut', 'overloaded', 'cut', 'pass']);
  });
});

test('single upload whose answer was lost is acknowledged and is no conflict', async () => {
  const rule = failFirst(isPut, 'lose-answer');
  await withStoreProxy(rule, async (client) => {
    const receipt = await client.upload(bytesOf(1000), { path: newPath() });
    assert.equal(receipt.verification?.level, 'checksum');
  });
});

test('expired URL of a single upload is renewed', async () => {
  await withStoreProxy(failFirst(isPut, 'expired'), async (client, seen, toBroker) => {
    await client.upload(bytesOf(1000), { path: newPath() });
    assert.deepEqual(await seen(), ['expired', 'pass']);
    assert.equal(toBroker.filter((request) => request === 'POST /uploads').length, 2);
  });
});

test('expired URL of a part is renewed, and only that one', async () => {
  await withStoreProxy(failFirst(isPut, 'expired'), async (client, seen, toBroker) => {
    await client.upload(new Blob([bytesOf(11 * MIB)]), { path: newPath(), partSize: 5 * MIB });
    assert.equal((await seen()).length, 4);
    assert.equal(toBroker.filter((request) => /^POST .*\/parts$/.test(request)).length, 1);
  });
});

test('parts survive cut connections, expired URLs and lost answers', async () => {
  const fates: Fate[] = ['cut', 'expired', 'lose-answer', 'cut', 'expired', 'overloaded'];
  await withStoreProxy(failFirst(isPut, ...fates), async (client, seen) => {
    const bytes = bytesOf(27 * MIB);
    const path = newPath();
    const progress: Progress[] = [];
    const receipt = await client.upload(new Blob([bytes]), {
      path,
      partSize: 5 * MIB,
      onProgress: (step) => progress.push(step),
    });
    assert.equal(receipt.verification?.level, 'checksum');
    assert.ok(await isStored(direct, path, bytes));
    assert.equal((await seen()).length, 6 + fates.length);
    const sent = progress.map((step) => step.sentBytes);
    assert.deepEqual(sent, [...sent].sort((a, b) => a - b), 'the progress never decreases');
    assert.equal(sent.at(-1), bytes.length);
  });
});

test('store that never accepts is reported, and the session is cancelled', async () => {
  const path = newPath();
  await withStoreProxy(() => 'expired', async (client) => {
    const upload = client.upload(bytesOf(10), { path });
    await assert.rejects(upload, { name: 'StoreError', status: 403 });
  });
  const uploads = await direct.api.GET('/uploads', { params: { query: { path } } });
  assert.deepEqual(uploads.data?.map(({ status }) => status), ['Cancelled']);
});

test('list continues after a cut connection without losing or repeating entries', async () => {
  const folder = newPath('');
  for (let index = 0; index < 5; index++) {
    await direct.upload(bytesOf(1), { path: `${folder}${index}` });
  }
  const rule = failFirst(({ path }) => path.includes('cursor'), 'cut', 'half-answer');
  await withBrokerProxy(rule, async (client) => {
    const entries = await collect(client.list({ prefix: folder, pageSize: 2 }));
    assert.deepEqual(entries.map(({ name }) => name), ['0', '1', '2', '3', '4']);
  });
});

test('a file that is changed while it is uploaded is reported as unreadable', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'changed-'));
  try {
    const file = join(folder, 'changed.bin');
    for (const multipart of [false, true]) {
      await writeFile(file, bytesOf(6 * MIB));
      const puts: Seen[] = [];
      await withStoreProxy(
        (request) => (isPut(request) && puts.push(request), 'pass'),
        async (client) => {
          const upload = client.upload(await openAsBlob(file), {
            path: newPath(),
            multipart,
            partSize: 5 * MIB,
            // The checksum would find it too.
            checksum: false,
            onSession: () => writeFileSync(file, 'other bytes'),
          });
          await assert.rejects(upload, { name: 'NotReadableError' });
        },
      );
      assert.ok(puts.length <= 2, `${puts.length} requests, multipart: ${multipart}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
