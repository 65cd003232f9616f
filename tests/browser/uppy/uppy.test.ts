/**
 * Uppy as it is published, in a real browser, on a page of another origin: version 6 with a token in
 * the path and with a function that signs, and version 5 with a header.
 */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import type { Upload } from 'upload-broker-client';

import { Files, MIB } from '../support/files.js';
import { arrivedBytes, assertProven, uploadAt } from '../support/proof.js';
import { Site } from '../support/site.js';
import { stories } from '../support/stage.js';
import type { Scene } from '../support/stage.js';
import { until } from '../support/until.js';
import type { End, Mode } from './page.js';
import { folderOf, UppyPage, UPPY_SITE } from './uppy-page.js';

/** Uppy sends files above this size in parts. */
const THRESHOLD = 100 * MIB;
const MODES: Mode[] = ['companionEndpoint', 'signRequest', 'endpoint'];

let site: Site;
let files: Files;
before(async () => {
  files = await Files.make();
});
after(() => files.remove());

const group = stories({
  settings: {
    BROKER_MAX_SIZE_BYTES: String(THRESHOLD + MIB),
    // A file that is sent as a form is acknowledged by the janitor.
    BROKER_JANITOR_PERIOD_SECONDS: '1',
  },
  prepare: async () => {
    site = await Site.start(UPPY_SITE);
    return { BROKER_CORS_ORIGINS: site.origin };
  },
  cleanUp: () => site.stop(),
});

/** The newest upload in the folder of a mode. */
async function newest(scene: Scene, mode: Mode): Promise<Upload | undefined> {
  const { data } = await scene.stage.client().api.GET('/uploads', {
    params: { query: { prefix: folderOf(mode), limit: 1 } },
  });
  return data?.[0];
}

/** Fails unless a file has arrived, is proven, and has its event. */
async function assertArrived(scene: Scene, end: End | undefined, file: string): Promise<Upload> {
  assert.ok(end?.key, JSON.stringify(end));
  const path = `/${end.key}`;
  const client = scene.stage.client();
  // A form is acknowledged a moment after it has arrived.
  await until(`${path} is acknowledged`, async () => {
    return (await uploadAt(client, path))?.status === 'Uploaded';
  });
  return assertProven(client, { path, file });
}

for (const mode of MODES) {
  group.story(`${mode}: names, and a file without bytes`, async (scene) => {
    const uppy = await UppyPage.open(scene, site.origin, { mode, meta: { team: 'größe' } });
    const paths = await Promise.all([
      files.text('plain.txt', 'plain'),
      files.text('größe a+b & 100% #1 (日本).csv', 'id\n1\n'),
      files.text('empty.bin', ''),
      files.text('no extension', 'x'),
    ]);
    await uppy.select(...paths);
    const ends = await uppy.ends(paths.length);
    for (const path of paths) {
      const end = ends.find((one) => path.endsWith(one.name));
      const upload = await assertArrived(scene, end, path);
      assert.ok(upload.path.endsWith(path.slice(path.lastIndexOf('/') + 1)), upload.path);
      assert.equal(upload.metadata.team, 'größe');
    }
  });

  group.story(`${mode}: 100 MiB and one byte are sent in parts`, async (scene) => {
    const uppy = await UppyPage.open(scene, site.origin, { mode });
    const file = await files.sized('large.bin', THRESHOLD + 1);
    await uppy.select(file);
    const [end] = await uppy.ends(1);
    const upload = await assertArrived(scene, end, file);
    assert.equal(upload.object?.size, THRESHOLD + 1);
    assert.match(upload.object?.etag ?? '', /-21"$/, 'it has 21 parts');
  });

  group.story(`${mode}: parts go on after a pause`, async (scene) => {
    const uppy = await UppyPage.open(scene, site.origin, { mode, multipart: true });
    // Chromium reports the request that the pause ends.
    scene.watch.expectCuts();
    const size = 43 * MIB;
    const file = await files.sized('pause.bin', size);
    const { storeGate } = scene.stage;
    // Version 5 sends six parts at a time, so that some of them arrive at the same time.
    storeGate.speed = 2 * MIB;
    await uppy.select(file);
    const arrived = async () => arrivedBytes(scene.stage.client(), await newest(scene, mode));
    await until('two parts arrive', async () => (await arrived()) >= 10 * MIB);
    await uppy.call('pauseAll');
    await storeGate.idle();
    const during = await newest(scene, mode);
    assert.equal(during?.status, 'Pending');
    const kept = await arrived();
    storeGate.speed = Infinity;
    const start = storeGate.received;
    await uppy.call('resumeAll');
    const [end] = await uppy.ends(1);
    const upload = await assertArrived(scene, end, file);
    assert.equal(upload.id, during?.id, 'the same upload goes on');
    const again = storeGate.received - start;
    assert.ok(again < size - kept + MIB, `${again} bytes are sent after ${kept} have arrived`);
  });

  group.story(`${mode}: a cancelled file leaves nothing`, async (scene) => {
    const uppy = await UppyPage.open(scene, site.origin, { mode, multipart: true });
    scene.watch.expectCuts();
    scene.stage.storeGate.speed = 8 * MIB;
    await uppy.select(await files.sized('cancel.bin', 23 * MIB));
    await uppy.sent(7 * MIB);
    await uppy.call('cancelAll');
    const upload = await until('the upload is cancelled', async () => {
      const upload = await newest(scene, mode);
      return upload?.status === 'Cancelled' && upload;
    });
    const parts = scene.stage.client().api.GET('/uploads/{id}/parts', {
      params: { path: { id: upload.id } },
    });
    await assert.rejects(parts, { code: 'invalid-status' });
  });

  group.story(`${mode}: a file that is too large is refused`, async (scene) => {
    // The store refuses a form, and the broker what is sent in parts or signed. Uppy prints both.
    scene.watch.expectStatus(400, 422);
    scene.watch.expectCuts();
    scene.watch.expect(/^\[Uppy\] /);
    const file = await files.sparse('too-large.bin', THRESHOLD + MIB + 1);
    for (const multipart of [false, true]) {
      const uppy = await UppyPage.open(scene, site.origin, { mode, multipart });
      await uppy.select(file);
      const [end] = await uppy.ends(1);
      assert.ok(end?.error, JSON.stringify(end));
      const upload = await newest(scene, mode);
      assert.notEqual(upload?.status, 'Uploaded');
    }
  });
}
