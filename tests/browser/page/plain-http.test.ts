/**
 * The page on plain http, at a name other than localhost: a context in which browsers have no wake locks, no web locks,
 * no file handles, no `crypto.subtle` and no `randomUUID`.
 */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { Files, MIB } from '../support/files.js';
import { checkLooks } from '../support/looks.js';
import { assertProven } from '../support/proof.js';
import { stories } from '../support/stage.js';
import type { Scene } from '../support/stage.js';
import { BrokerPage } from './broker-page.js';

const HOST = 'broker.test';

let files: Files;
before(async () => {
  files = await Files.make();
});
after(() => files.remove());

const group = stories({ hosts: [HOST] });

/** Opens the page at the name in a new tab, and signs in. */
async function signedInAtHost(scene: Scene, fragment: string): Promise<BrokerPage> {
  const url = new URL(fragment, group.stage.broker.url);
  url.hostname = HOST;
  const broker = new BrokerPage(scene, await scene.open(url.href));
  await broker.signIn(group.stage.broker.key);
  return broker;
}

group.story('on plain http, the page says what is missing, and uploads prove their files', async (scene) => {
  scene.watch.expectStatus(401);
  const broker = await signedInAtHost(scene, '#/upload?to=/plain/');
  const { page } = broker;
  await page.getByText('This page was not opened over HTTPS').waitFor();
  assert.equal(await page.evaluate(() => isSecureContext), false);
  await checkLooks(page, 'plain-http');

  const large = await files.sized('plain/large.bin', 19 * MIB);
  const small = await files.text('plain/small.csv', 'id\n1\n');
  await broker.choose(large, small);
  await broker.done(2);
  for (const file of [large, small]) {
    const path = file.slice(files.folder.length);
    await assertProven(group.stage.client(), { path, file, level: 'checksum' });
  }
});

group.story('on plain http, live changes arrive in each tab', async (scene) => {
  scene.watch.expectStatus(401);
  const tabs = [];
  for (let count = 0; count < 2; count++) {
    const { page } = await signedInAtHost(scene, '#/browse/live/');
    await page.getByText('Live', { exact: true }).waitFor();
    tabs.push(page);
  }
  const client = group.stage.client();
  await client.upload(new TextEncoder().encode('seen'), { path: '/live/seen.txt' });
  for (const page of tabs) {
    await page.getByRole('link', { name: 'seen.txt' }).waitFor();
  }
});
