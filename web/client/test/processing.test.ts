/**
 * Jobs, the text of documents, and the search in it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Job } from 'upload-broker-client';

import { collect, newClient, newPath } from './support/broker.js';

const client = newClient();
/** How long a job may take, in milliseconds. */
const JOB_LIMIT_MS = 60_000;

/** Waits until the only job of an upload has ended. */
async function jobOf(uploadId: string): Promise<Job> {
  const end = Date.now() + JOB_LIMIT_MS;
  for (;;) {
    const [job] = await collect(client.jobs({ uploadId }));
    if (job && (job.status === 'Succeeded' || job.status === 'Failed')) {
      return job;
    }
    assert.ok(Date.now() < end, `the job is ${job?.status}: ${job?.message}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A PDF document with one line of text on each page. */
function pdfOf(lines: string[]): Blob {
  const pages = lines.map((_, index) => `${4 + 2 * index} 0 R`).join(' ');
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${pages}] /Count ${lines.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...lines.flatMap((line, index) => {
      const content = `BT /F1 24 Tf 72 700 Td (${line}) Tj ET`;
      return [
        '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] ' +
          `/Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + 2 * index} 0 R >>`,
        `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
      ];
    }),
  ];
  let text = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return String(offset).padStart(10, '0');
  });
  const start = text.length;
  const entries = offsets.map((offset) => `${offset} 00000 n \n`).join('');
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries}`;
  text += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`;
  return new Blob([text], { type: 'application/pdf' });
}

test('jobs of an upload and of a processor are listed with their results', async () => {
  const table = new Blob(['Song,Date,Number of Plays\na,2025-03-01,2\na,2025-03-01,3\n']);
  const { id } = await client.upload(table, {
    path: newPath('plays.csv'),
    metadata: { processor: 'csv-aggregate' },
  });
  const job = await jobOf(id);
  assert.equal(job.status, 'Succeeded', job.message ?? '');
  const outputs = job.outputs.map(({ path }) => path);
  assert.equal(outputs.length, 1);
  assert.match(await (await client.download(outputs[0] ?? '')).text(), /a,2025-03-01,5/);
  const succeeded = await collect(client.jobs({ status: 'Succeeded', processor: 'csv-aggregate' }));
  assert.ok(succeeded.some((one) => one.id === job.id));
});

test('text of a document is read page by page, and found', async () => {
  const word = `zebra${Date.now()}`;
  const { id, path } = await client.upload(pdfOf(['The first page', `A ${word} on the second`]), {
    path: newPath('report.pdf'),
    metadata: { processor: 'pdf-text' },
  });
  const job = await jobOf(id);
  assert.equal(job.status, 'Succeeded', job.message ?? '');
  const pages = await collect(client.text(id));
  assert.deepEqual(pages.map(({ page }) => page), [1, 2]);
  assert.match(pages[0]?.text ?? '', /The first page/);
  const [second, ...none] = await collect(client.text(id, { page: 2 }));
  assert.match(second?.text ?? '', new RegExp(word));
  assert.deepEqual(none, []);
  const hits = await client.search(word, { prefix: '/tests/', limit: 5 });
  assert.deepEqual(hits.map((hit) => [hit.path, hit.page]), [[path, 2]]);
  assert.match(hits[0]?.snippet ?? '', new RegExp(`⟦${word}⟧`));
});
