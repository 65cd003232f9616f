/**
 * Uploads with the page while the network is good.
 */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { drop } from '../support/drop.js';
import { Files, MIB } from '../support/files.js';
import { checkLooks } from '../support/looks.js';
import { assertProven } from '../support/proof.js';
import { stories } from '../support/stage.js';
import { until } from '../support/until.js';
import { BrokerPage } from './broker-page.js';

let files: Files;
before(async () => {
  files = await Files.make();
});
after(() => files.remove());

const group = stories();

group.story('files and a folder are chosen, uploaded and proven', async (scene) => {
  scene.watch.expectStatus(401);
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/chosen/');
  const { page } = broker;
  const large = await files.sized('chosen/large.bin', 19 * MIB);
  const empty = await files.text('chosen/empty.txt', '');
  const strange = await files.text('chosen/größe a+b & 100% #1 (日本).csv', 'id,name\n1,Ada\n');
  await broker.choose(large, empty, strange);
  await broker.done(3);
  for (const name of ['a.txt', 'inner/b.txt', 'inner/deep/c d.txt']) {
    await files.text(`folder/${name}`, name);
  }
  await broker.chooseFolder(`${files.folder}/folder`);
  await broker.done(6);
  await checkLooks(page, 'upload-done');

  const client = group.stage.client();
  for (const file of [large, empty, strange]) {
    const path = file.slice(files.folder.length);
    const upload = await assertProven(client, { path, file, level: 'checksum' });
    assert.equal(upload.status, 'Uploaded');
  }
  for (const name of ['a.txt', 'inner/b.txt', 'inner/deep/c d.txt']) {
    const file = `${files.folder}/folder/${name}`;
    await assertProven(client, { path: `/chosen/folder/${name}`, file, level: 'checksum' });
  }
  await page.getByRole('button', { name: 'Receipt of large.bin' }).click();
  await page.getByRole('dialog', { name: 'Receipt' }).waitFor();
  await checkLooks(page, 'receipt');
  await page.getByRole('link', { name: 'Open the dataset' }).click();
  await page.getByRole('heading', { name: 'large.bin' }).waitFor();
});

group.story('comments and metadata go with the files', async (scene) => {
  scene.watch.expectStatus(401);
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/details/');
  const { page } = broker;
  await page.getByText('Details').click();
  await page.getByLabel('Name', { exact: true }).fill('Plays of June');
  await page.getByLabel('Comments').fill('from the radio');
  await page.getByRole('button', { name: 'Add a pair' }).click();
  await page.getByLabel('Key 1').fill('team');
  await page.getByLabel('Value 1').fill('größe');
  await checkLooks(page, 'upload-details');
  const file = await files.text('details/plays.csv', 'a,b\n');
  await drop(broker.zone, [file]);
  await broker.done(1);
  const upload = await assertProven(group.stage.client(), { path: '/details/plays.csv', file });
  assert.equal(upload.name, 'Plays of June');
  assert.equal(upload.comments, 'from the radio');
  assert.deepEqual(upload.metadata, { team: 'größe' });
});

group.story('where datasets stand in the way, the page asks what to do', async (scene) => {
  scene.watch.expectStatus(401, 409, 412);
  const client = group.stage.client();
  const old = new TextEncoder().encode('old');
  const names = ['replaced.txt', 'skipped.txt', 'both.txt'];
  for (const name of names) {
    await client.upload(old, { path: `/conflict/${name}` });
  }
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/conflict/');
  const { page } = broker;
  const dialog = page.getByRole('dialog', { name: 'This dataset exists' });
  const answers = { 'replaced.txt': 'Replace', 'skipped.txt': 'Skip', 'both.txt': 'Keep both' };
  for (const [name, answer] of Object.entries(answers)) {
    await drop(broker.zone, [await files.text(`conflict/${name}`, `new ${name}`)]);
    await dialog.getByText(`/conflict/${name}`).waitFor();
    if (name === 'replaced.txt') {
      await checkLooks(page, 'conflict');
    }
    await dialog.getByRole('button', { name: answer }).click();
    await dialog.waitFor({ state: 'detached' });
  }
  await broker.done(2, 3);
  const textAt = async (path: string) => (await client.download(path)).text();
  assert.equal(await textAt('/conflict/replaced.txt'), 'new replaced.txt');
  assert.equal(await textAt('/conflict/skipped.txt'), 'old');
  assert.equal(await textAt('/conflict/both.txt'), 'old');
  assert.equal(await textAt('/conflict/both (2).txt'), 'new both.txt');
  await checkLooks(page, 'conflict-answered');
});

group.story('a folder of 200 small files is dropped, and all are proven', async (scene) => {
  scene.watch.expectStatus(401);
  const names = Array.from({ length: 200 }, (_, index) => `${index % 7}/file-${index}.txt`);
  for (const name of names) {
    await files.text(`many/${name}`, `the content of ${name}`);
  }
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/dropped/');
  await drop(broker.zone, [`${files.folder}/many`]);
  await broker.done(200);
  const found: string[] = [];
  const client = group.stage.client();
  for await (const entry of client.list({ prefix: '/dropped/many/', include: 'upload' })) {
    assert.ok('upload' in entry, JSON.stringify(entry));
    assert.equal(entry.upload?.status, 'Uploaded');
    assert.equal(entry.upload?.verification?.level, 'checksum');
    found.push(entry.path ?? '');
  }
  assert.deepEqual(found.sort(), names.map((name) => `/dropped/many/${name}`).sort());
});

group.story('a file is paused, resumed, and another one cancelled', async (scene) => {
  scene.watch.expectStatus(401);
  scene.watch.expectCuts();
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/stopped/');
  const { page } = broker;
  const { storeGate } = group.stage;
  storeGate.speed = MIB / 4;
  const paused = await files.sized('stopped/paused.bin', 30 * MIB);
  const cancelled = await files.sized('stopped/cancelled.bin', 30 * MIB);
  await drop(broker.zone, [paused, cancelled]);
  await broker.inState('paused.bin', 'Sending');
  await checkLooks(page, 'upload-sending');
  await page.getByRole('button', { name: 'Pause paused.bin' }).click();
  await page.getByRole('button', { name: 'Cancel cancelled.bin' }).click();
  await broker.inState('cancelled.bin', 'Cancelled');
  await broker.inState('paused.bin', 'Paused');
  await checkLooks(page, 'upload-paused');
  storeGate.speed = Infinity;
  await page.getByRole('button', { name: 'Resume paused.bin' }).click();
  await broker.done(1, 2);
  const client = group.stage.client();
  await assertProven(client, { path: '/stopped/paused.bin', file: paused, level: 'checksum' });
  const { data } = await client.api.GET('/uploads', {
    params: { query: { path: '/stopped/cancelled.bin' } },
  });
  assert.deepEqual(data?.map(({ status }) => status), ['Cancelled']);
});

group.story('the screen is kept on while files are sent, and no longer', async (scene) => {
  scene.watch.expectStatus(401);
  await scene.context.addInitScript(() => {
    // The document that a tab starts with has no locks.
    const locks = (navigator as Partial<Navigator>).wakeLock;
    if (locks) {
      const request = locks.request.bind(locks);
      const held: WakeLockSentinel[] = [];
      locks.request = async (type) => {
        const lock = await request(type);
        // Meanwhile, the page learns of more progress.
        await new Promise((resolve) => setTimeout(resolve, 500));
        held.push(lock);
        return lock;
      };
      Object.assign(globalThis, { held });
    }
  });
  const broker = await BrokerPage.signedIn(scene, '#/upload?to=/awake/');
  const { page } = broker;
  // For each lock so far, whether it was released.
  const released = () =>
    page.evaluate(() =>
      (globalThis as unknown as { held: WakeLockSentinel[] }).held.map((lock) => lock.released),
    );
  assert.deepEqual(await released(), []);
  const { storeGate } = group.stage;
  storeGate.speed = MIB / 4;
  await broker.choose(await files.sized('awake/a.bin', 12 * MIB), await files.text('awake/b.txt', 'b'));
  await until('a lock', async () => (await released()).length > 0);
  await broker.done(1, 2);
  assert.deepEqual(await released(), [false]);
  storeGate.speed = Infinity;
  await broker.done(2);
  await until('its end', async () => (await released()).every(Boolean));
  assert.deepEqual(await released(), [true]);
});
