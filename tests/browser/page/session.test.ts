/**
 * Signing in to the page and out of it.
 */
import assert from 'node:assert/strict';

import { checkLooks } from '../support/looks.js';
import { stories } from '../support/stage.js';
import { newToken } from '../support/token.js';
import { BrokerPage } from './broker-page.js';

const group = stories();

group.story('a person signs in, with a wrong key first, and out', async (scene) => {
  // The page tries without a credential first.
  scene.watch.expectStatus(401);
  const broker = await BrokerPage.open(scene);
  const { page } = broker;
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await checkLooks(page, 'sign-in');
  await broker.signIn('wrong');
  await page.getByRole('alert').waitFor();
  await checkLooks(page, 'wrong-key');
  await broker.signIn(group.stage.broker.key);
  await page.getByRole('heading', { name: 'Upload' }).waitFor();
  await page.getByText('default', { exact: true }).waitFor();
  await checkLooks(page, 'upload-empty');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

group.story('a key is kept over a reload only where the person wants it', async (scene) => {
  scene.watch.expectStatus(401);
  const kept = await BrokerPage.signedIn(scene, '', true);
  await kept.page.reload();
  await kept.page.getByRole('heading', { name: 'Upload' }).waitFor();
  const forgotten = await BrokerPage.signedIn(scene);
  await forgotten.page.reload();
  await forgotten.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  const stored = await kept.page.evaluate(() => JSON.stringify([localStorage, document.cookie]));
  assert.ok(!stored.includes(group.stage.broker.key));
});

group.story('a link with a token signs in, and the token leaves the address', async (scene) => {
  const token = await newToken(group.stage, { prefix: '/in/', scopes: ['uploads:write'] });
  const { page } = await BrokerPage.open(scene, `#token=${token}&next=/upload`);
  await page.getByRole('heading', { name: 'Upload' }).waitFor();
  assert.ok(!page.url().includes(token), page.url().length.toString());
  assert.equal(await page.getByLabel('Destination folder').inputValue(), '/in/');
  // A token that may only upload gets no other views.
  const views = page.getByRole('navigation', { name: 'Views' }).getByRole('link');
  assert.deepEqual(await views.allTextContents(), ['Upload']);
  await page.getByLabel('Destination folder').fill('/elsewhere/');
  await page.getByRole('alert').waitFor();
  await checkLooks(page, 'upload-wrong-folder');
});

group.story('a link with an expired token says so', async (scene) => {
  scene.watch.expectStatus(401);
  const { page } = await BrokerPage.open(scene, '#token=expired&next=/upload');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByRole('alert').waitFor();
});
