/**
 * What a person does with datasets: list, find, open and delete them, and read what became of them.
 */
import assert from 'node:assert/strict';

import type { Upload } from 'upload-broker-client';

import { checkLooks } from '../support/looks.js';
import { pdfOf } from '../support/pdf.js';
import { stories } from '../support/stage.js';
import { until } from '../support/until.js';
import { BrokerPage } from './broker-page.js';

const group = stories();

/** Uploads a text without the page. */
async function put(path: string, text: string, processor?: string): Promise<Upload> {
  return group.stage.client().upload(new TextEncoder().encode(text), {
    path,
    ...(processor && { metadata: { processor } }),
  });
}

/** Waits until an upload has been processed. */
async function processed({ id }: Upload): Promise<void> {
  const { api } = group.stage.client();
  await until('the upload is processed', async () => {
    const { data } = await api.GET('/uploads/{id}', { params: { path: { id } } });
    return data?.status === 'Processed';
  });
}

group.story('datasets are listed by folder, found by their start, and appear while they arrive', async (scene) => {
  scene.watch.expectStatus(401);
  await put('/list/größe & more/a.txt', 'a');
  await put('/list/b with a name that is long enough to need more than one line on a phone.csv', 'id\n');
  const { page } = await BrokerPage.signedIn(scene, '#/browse/list/');
  await page.getByRole('link', { name: 'größe & more' }).waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  await put('/list/new.txt', 'new');
  await page.getByRole('link', { name: 'new.txt' }).waitFor();
  await checkLooks(page, 'browse');
  await page.getByRole('link', { name: 'größe & more' }).click();
  await page.getByRole('link', { name: 'a.txt' }).waitFor();
  await page.getByLabel('Starts with').fill('/list/b w');
  await page.getByText('1 dataset', { exact: true }).waitFor();
  await page.goBack();
  await page.getByLabel('Starts with').fill('/nothing/here');
  await page.getByText('/nothing/here').waitFor();
  await checkLooks(page, 'browse-nothing');
});

group.story('a few datasets are deleted at once, more than ten after a confirmation', async (scene) => {
  scene.watch.expectStatus(401);
  const names = Array.from({ length: 15 }, (_, index) => `${String.fromCharCode(97 + index)}.txt`);
  await Promise.all(names.map((name) => put(`/delete/${name}`, name)));
  const { page } = await BrokerPage.signedIn(scene, '#/browse/delete/');
  const remaining = async () => {
    const found: string[] = [];
    for await (const entry of group.stage.client().list({ prefix: '/delete/' })) {
      found.push(entry.path ?? '');
    }
    return found.length;
  };
  await page.getByLabel('Select a.txt').check();
  await page.getByLabel('Select b.txt').check();
  await checkLooks(page, 'browse-selected');
  await page.getByRole('button', { name: 'Delete …' }).click();
  const few = page.getByRole('dialog', { name: 'Delete 2 datasets?' });
  await checkLooks(page, 'delete-few');
  await few.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByText('13 datasets', { exact: true }).waitFor();
  assert.equal(await remaining(), 13);

  await page.getByLabel('Select all datasets in the list').check();
  await page.getByRole('button', { name: 'Delete …' }).click();
  const many = page.getByRole('dialog', { name: 'Delete 13 datasets?' });
  const confirm = many.getByRole('button', { name: 'Delete' });
  assert.ok(await confirm.isDisabled());
  await many.getByRole('textbox').fill('12');
  assert.ok(await confirm.isDisabled());
  await checkLooks(page, 'delete-many');
  await many.getByRole('textbox').fill('13');
  await confirm.click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await remaining(), 0);
});

group.story('a dataset is opened, with its receipt, rows, results and history', async (scene) => {
  scene.watch.expectStatus(401);
  const csv = 'Song,Date,Number of Plays\nA,2026-01-01,3\nA,2026-01-01,4\nB,2026-01-02,5\n';
  await processed(await put('/results/plays.csv', csv, 'csv-aggregate'));
  const { page } = await BrokerPage.signedIn(scene, '#/dataset/results/plays.csv');
  await page.getByRole('heading', { name: 'Result of csv-aggregate' }).waitFor();
  const result = page.getByRole('region', { name: /^Result / });
  await result.getByRole('cell', { name: '7' }).waitFor();
  await page.getByRole('region', { name: 'Receipt', exact: true }).getByText('checksum').first().waitFor();
  await checkLooks(page, 'dataset');
  await page.getByRole('button', { name: 'Delete …' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete this dataset?' });
  await checkLooks(page, 'dataset-delete');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL(/#\/browse\/results/);
});

group.story('words are found in documents, and the page of the document is shown', async (scene) => {
  scene.watch.expectStatus(401);
  const bytes = pdfOf(['The first page is about apples', 'The second page is about quinces']);
  const upload = await group.stage.client().upload(bytes, {
    path: '/documents/fruit.pdf',
    metadata: { processor: 'pdf-text' },
  });
  await processed(upload);
  const { page } = await BrokerPage.signedIn(scene, '#/search');
  await page.getByLabel('Words').fill('quinces');
  const hit = page.getByRole('list', { name: 'Pages that match' }).getByRole('listitem');
  await hit.getByText('page 2').waitFor();
  await checkLooks(page, 'search');
  await hit.getByRole('link').click();
  await page.getByRole('region', { name: 'Text of page 2' }).getByText('quinces').waitFor();
  await checkLooks(page, 'dataset-text');
});

group.story('another system reports its work, and operators see everything', async (scene) => {
  scene.watch.expectStatus(401);
  const { id } = await put('/jobs/report.csv', 'a\n');
  const { api } = group.stage.client();
  const { error } = await api.POST('/uploads/{id}/processing', {
    params: { path: { id } },
    body: { processor: 'checker', status: 'Error', message: 'row 7 has no date' },
  });
  assert.equal(error, undefined);
  const broker = await BrokerPage.signedIn(scene, '#/jobs');
  const { page } = broker;
  await page.getByText('row 7 has no date').waitFor();
  await checkLooks(page, 'jobs');
  await page.getByRole('button', { name: 'Retry checker' }).click();
  await page.locator('.job-row').getByText('Queued').waitFor();
  const views = [
    ['#/admin/uploads', 'Uploads', '/jobs/report.csv'],
    ['#/admin/audit', 'Audit', 'upload.created'],
    ['#/admin/usage', 'Usage', 'Tenant default'],
  ] as const;
  for (const [fragment, name, text] of views) {
    await broker.goTo(fragment);
    const shown = page.getByRole('region', { name, exact: true }).getByText(text);
    // The actions are also the options of a filter.
    await shown.filter({ visible: true }).first().waitFor();
    await checkLooks(page, `operation-${name.toLowerCase()}`);
  }
});
