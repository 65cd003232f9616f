/**
 * The example for Dropzone in a real browser, on a page of another origin.
 */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import type { Page } from 'playwright-core';

import { drop } from '../support/drop.js';
import { Files, MIB } from '../support/files.js';
import { assertProven, uploadAt } from '../support/proof.js';
import { Site } from '../support/site.js';
import { stories } from '../support/stage.js';
import type { Scene } from '../support/stage.js';
import { newToken } from '../support/token.js';
import { until } from '../support/until.js';

let site: Site;
let files: Files;
before(async () => {
  files = await Files.make();
});
after(() => files.remove());

const group = stories({
  prepare: async () => {
    site = await Site.start({
      dropzone: {
        script: 'tests/browser/dropzone/page.ts',
        body: '<form id="dropzone" style="height: 20rem">Drop files here</form><ul id="ends"></ul>',
      },
    });
    return { BROKER_CORS_ORIGINS: site.origin };
  },
  cleanUp: () => site.stop(),
});

/** Opens the page with a token for this folder. */
async function open(scene: Scene, folder: string): Promise<Page> {
  const page = await scene.open(`${site.origin}/dropzone`);
  const { url } = scene.stage.broker;
  const token = await newToken(scene.stage, { prefix: folder });
  await page.evaluate(
    (options) => {
      const start = Reflect.get(window, 'start') as (...options: string[]) => void;
      start(...options);
    },
    [url, token, folder] as const,
  );
  return page;
}

/** Waits for the end of this many files, and returns what the page says about them. */
async function ends(page: Page, count: number): Promise<string[]> {
  const lines = page.locator('#ends li');
  await lines.nth(count - 1).waitFor();
  return (await lines.allTextContents()).sort();
}

group.story('files are selected, uploaded in chunks, and proven', async (scene) => {
  const page = await open(scene, '/zone/');
  const large = await files.sized('größe a+b 19.bin', 19 * MIB);
  const empty = await files.text('empty.txt', '');
  await page.locator('input.dz-hidden-input').setInputFiles([large, empty]);
  assert.deepEqual(await ends(page, 2), ['empty.txt: checksum', 'größe a+b 19.bin: checksum']);
  const client = scene.stage.client();
  for (const [name, file] of [
    ['größe a+b 19.bin', large],
    ['empty.txt', empty],
  ] as const) {
    await assertProven(client, { path: `/zone/${name}`, level: 'checksum', file });
  }
});

group.story('files are dropped, and a dataset in the way is not replaced', async (scene) => {
  const client = scene.stage.client();
  await client.upload(new Uint8Array(5), { path: '/drop/taken.bin' });
  const page = await open(scene, '/drop/');
  scene.watch.expectStatus(409);
  const taken = await files.text('taken.bin', 'other bytes');
  const fresh = await files.text('fresh.bin', 'fresh');
  await drop(page.locator('#dropzone'), [taken, fresh]);
  const [first, second] = await ends(page, 2);
  assert.equal(first, 'fresh.bin: checksum');
  assert.match(second ?? '', /^taken\.bin: .*dataset-exists/);
  await assertProven(client, { path: '/drop/fresh.bin', level: 'checksum', file: fresh });
});

group.story('chunks go on after the connections to the store are cut', async (scene) => {
  const page = await open(scene, '/cut/');
  scene.watch.expectCuts();
  const file = await files.sized('cut.bin', 30 * MIB);
  scene.stage.storeGate.cutAfter(9 * MIB, 3 * MIB, 3 * MIB);
  await drop(page.locator('#dropzone'), [file]);
  assert.deepEqual(await ends(page, 1), ['cut.bin: checksum']);
  assert.ok(scene.watch.failures.length > 0, 'no request was cut');
  await assertProven(scene.stage.client(), { path: '/cut/cut.bin', level: 'checksum', file });
});

async function removeAll(page: Page): Promise<void> {
  await page.evaluate(() => {
    const dropzone = Reflect.get(window, 'dropzone') as { removeAllFiles(all: boolean): void };
    dropzone.removeAllFiles(true);
  });
}

group.story('a file that is removed while it is sent is cancelled', async (scene) => {
  const page = await open(scene, '/stop/');
  scene.watch.expectCuts();
  const { storeGate } = scene.stage;
  storeGate.speed = MIB;
  const before = storeGate.received;
  await drop(page.locator('#dropzone'), [await files.sized('stop.bin', 30 * MIB)]);
  await until('the file is sent', () => storeGate.received > before + MIB);
  await removeAll(page);
  await waitUntilCancelled(scene, '/stop/stop.bin');
});

group.story('a file that is removed while its session is created is cancelled', async (scene) => {
  const page = await open(scene, '/early/');
  scene.watch.expectCuts();
  await drop(page.locator('#dropzone'), [await files.sized('early.bin', 30 * MIB)]);
  await removeAll(page);
  await waitUntilCancelled(scene, '/early/early.bin');
});

async function waitUntilCancelled(scene: Scene, path: string): Promise<void> {
  const client = scene.stage.client();
  await until('the upload is cancelled', async () => {
    return (await uploadAt(client, path))?.status === 'Cancelled';
  });
}
