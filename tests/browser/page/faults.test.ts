/**
 * Uploads with the page while connections are cut, pages are reloaded, and credentials expire.
 */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { drop } from '../support/drop.js';
import { Files, MIB } from '../support/files.js';
import { checkLooks } from '../support/looks.js';
import { arrivedBytes, assertProven, uploadAt } from '../support/proof.js';
import { stories } from '../support/stage.js';
import { newToken } from '../support/token.js';
import { until } from '../support/until.js';
import { BrokerPage } from './broker-page.js';

/** How long the network is away. */
const CUT_MS = 10_000;
/** After a fault, the page may wait for its next attempt. */
const RECOVERY_MS = 90_000;
/** The size of the files whose upload is interrupted: they are sent in four parts or more. */
const SIZE = 40 * MIB;

let files: Files;
before(async () => {
  files = await Files.make();
});
after(() => files.remove());

const group = stories();

/** Waits until the browser has sent more than this to the store since a moment. */
async function sent(bytes: number, since: number): Promise<void> {
  await until(`${bytes} bytes are sent`, () => group.stage.storeGate.received - since > bytes);
}

group.story('the network is away for ten seconds, and the upload goes on by itself', async (scene) => {
  scene.watch.expectStatus(401);
  scene.watch.expectCuts();
  const { brokerGate, storeGate } = group.stage;
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/cut/');
  const file = await files.sized('cut/large.bin', SIZE);
  const small = await files.text('cut/small.txt', 'small');
  const start = storeGate.received;
  storeGate.speed = 2 * MIB;
  await drop(broker.zone, [file]);
  await sent(12 * MIB, start);
  brokerGate.close();
  storeGate.close();
  const away = pause(CUT_MS);
  await broker.page.getByText('Waiting for the network').waitFor();
  await checkLooks(broker.page, 'network-away');
  // What is added meanwhile waits, too.
  await drop(broker.zone, [small]);
  await away;
  brokerGate.open();
  storeGate.open();
  storeGate.speed = Infinity;
  await broker.done(2, 2, RECOVERY_MS);
  const client = group.stage.client();
  await assertProven(client, { path: '/cut/large.bin', file, level: 'checksum' });
  await assertProven(client, { path: '/cut/small.txt', file: small, level: 'checksum' });
  const again = storeGate.received - start - SIZE;
  assert.ok(again < SIZE / 2, `${again} bytes were sent twice`);
});

group.story('connections to the store are cut again and again', async (scene) => {
  scene.watch.expectStatus(401);
  scene.watch.expectCuts();
  const { storeGate } = group.stage;
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/cuts/');
  const file = await files.sized('cuts/large.bin', SIZE);
  const start = storeGate.received;
  storeGate.cutAfter(...Array.from({ length: 6 }, () => 6 * MIB));
  await drop(broker.zone, [file]);
  await broker.done(1, 1, RECOVERY_MS);
  await assertProven(group.stage.client(), { path: '/cuts/large.bin', file, level: 'checksum' });
  assert.ok(storeGate.received - start > SIZE, 'nothing was sent twice, so nothing was cut');
});

group.story('after a reload in the middle, the upload is resumed with the parts that are there', async (scene) => {
  scene.watch.expectStatus(401);
  scene.watch.expectCuts();
  const { storeGate } = group.stage;
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/reload/', true);
  const { page } = broker;
  const file = await files.sized('reload/large.bin', SIZE);
  const client = group.stage.client();
  const arrived = async () => arrivedBytes(client, await uploadAt(client, '/reload/large.bin'));
  storeGate.speed = 4 * MIB;
  await broker.choose(file);
  await until('a part arrives', async () => (await arrived()) > 0);
  // The page warns a person who leaves while files are sent.
  const warned = page.waitForEvent('dialog');
  page.on('dialog', (dialog) => void dialog.accept());
  await page.reload();
  assert.equal((await warned).type(), 'beforeunload');
  const offer = page.getByRole('region', { name: 'Interrupted uploads' });
  await offer.getByText('/reload/large.bin').waitFor();
  await checkLooks(page, 'interrupted');
  storeGate.speed = Infinity;
  await storeGate.idle();
  const kept = await arrived();
  const resumed = storeGate.received;
  await offer.getByRole('button', { name: 'Resume' }).click();
  // The browser cannot open a chosen file again.
  const other = await files.text('reload/other/large.bin', 'other bytes');
  await offer.getByLabel('Choose them again').setInputFiles(other);
  await offer.getByRole('alert').waitFor();
  await checkLooks(page, 'interrupted-other-file');
  await offer.getByLabel('Choose them again').setInputFiles(file);
  await broker.done(1, 1, RECOVERY_MS);
  const again = storeGate.received - resumed;
  assert.ok(again < SIZE - kept + MIB, `${again} bytes are sent after ${kept} have arrived`);
  await assertProven(client, { path: '/reload/large.bin', file, level: 'checksum' });
});

group.story('two tabs upload at the same time, and neither offers the files of the other', async (scene) => {
  scene.watch.expectStatus(401);
  const tabs = await Promise.all(
    ['one', 'two'].map((name) => BrokerPage.signedIn(scene, `#/upload?to=/tabs/${name}/`)),
  );
  group.stage.storeGate.speed = 2 * MIB;
  const file = await files.sized('tabs/large.bin', SIZE);
  for (const tab of tabs) {
    await tab.page.bringToFront();
    await drop(tab.zone, [file]);
    await tab.inState('large.bin', 'Sending');
  }
  const third = await BrokerPage.signedIn(scene, '#/upload');
  await third.zone.waitFor();
  group.stage.storeGate.speed = Infinity;
  for (const tab of tabs) {
    await tab.done(1, 1, RECOVERY_MS);
  }
  assert.equal(await third.page.getByRole('region', { name: 'Interrupted uploads' }).count(), 0);
  for (const name of ['one', 'two']) {
    const path = `/tabs/${name}/large.bin`;
    await assertProven(group.stage.client(), { path, file, level: 'checksum' });
  }
});

group.story('a token expires in the middle, and the upload goes on with another one', async (scene) => {
  scene.watch.expectStatus(401, 403);
  const { storeGate } = group.stage;
  const scopes = ['uploads:write', 'uploads:read'] as ('uploads:write' | 'uploads:read')[];
  const seconds = 15;
  const token = await newToken(group.stage, { prefix: '/token/', scopes, expires_in: seconds });
  const expiry = pause(seconds * 1000);
  const broker = await BrokerPage.open(scene, `#token=${token}&next=/upload`);
  const file = await files.sized('token/large.bin', SIZE);
  storeGate.speed = MIB / 4;
  await broker.zone.waitFor();
  await drop(broker.zone, [file]);
  await broker.inState('large.bin', 'Sending');
  await expiry;
  storeGate.speed = Infinity;
  const dialog = broker.page.getByRole('dialog', { name: 'Sign in again' });
  await dialog.waitFor({ timeout: RECOVERY_MS });
  await checkLooks(broker.page, 'token-expired');
  const next = await newToken(group.stage, { prefix: '/token/', scopes });
  await dialog.getByLabel('API key or token').fill(next);
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  await broker.done(1, 1, RECOVERY_MS);
  await assertProven(group.stage.client(), { path: '/token/large.bin', file, level: 'checksum' });
});
