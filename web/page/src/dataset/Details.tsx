/**
 * The attributes of a dataset.
 */
import type { DatasetDetail, Upload } from 'upload-broker-client';

import { hrefOf } from '../route.js';
import { formatExactBytes, formatTime } from '../words/numbers.js';
import { Facts } from './Facts.js';
import type { Fact } from './Facts.js';

/** What the store and the upload say. */
export function Details({ detail, upload }: { detail: DatasetDetail; upload: Upload | null }) {
  const source = upload?.derived_from;
  const facts: Fact[] = [
    ['Path', <code>{detail.path}</code>],
    ['Name', detail.name],
    ['Size', formatExactBytes(detail.size)],
    ['Content type', detail.content_type],
    ['Last modified', formatTime(detail.last_modified)],
    ['ETag', <code>{detail.etag}</code>],
    ['Version', detail.version_id && <code>{detail.version_id}</code>],
    ['Checksum', detail.checksum && <ChecksumText {...detail.checksum} />],
    ['Error', upload?.error && <span class="failure">{upload.error.detail}</span>],
    ['Comments', upload?.comments],
    ...Object.entries(upload?.metadata ?? {}).map(([key, value]): Fact => [`Metadata: ${key}`, value]),
    ['Made from', source && <a href={hrefOf('dataset', '/', { upload: source })}>another dataset</a>],
  ];
  return (
    <section class="card" aria-label="Details">
      <h2>Details</h2>
      <Facts facts={facts} />
    </section>
  );
}

/** A checksum with its algorithm. */
export function ChecksumText({ algorithm, value }: { algorithm: string; value: string }) {
  return (
    <>
      {algorithm} <code>{value}</code>
    </>
  );
}
