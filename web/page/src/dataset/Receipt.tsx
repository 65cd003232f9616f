/**
 * What is proven about a dataset.
 */
import { useSignal } from '@preact/signals';
import type { DatasetDetail, Upload } from 'upload-broker-client';

import { hasScope } from '../session/principal.js';
import type { Session } from '../session/session.js';
import { copyText } from '../ui/clipboard.js';
import { formatExactBytes, formatTime } from '../words/numbers.js';
import { ChecksumText } from './Details.js';
import { Facts } from './Facts.js';

const LEVELS = {
  checksum: 'The store returned the declared checksum: the bytes are those that were sent.',
  size: 'The object has the declared size. No checksum was compared.',
  existence: 'An object that was written for this upload exists. Nothing else was declared.',
};

const PROVERS: Record<string, string> = {
  acknowledge: 'the request of the client (acknowledge)',
  's3-event': 'an event of S3',
  janitor: 'the janitor',
  uppy: 'the Uppy routes',
};

/** The receipt of the upload. */
export function Receipt({ detail, upload, session }: {
  detail: DatasetDetail;
  upload: Upload | null;
  session: Session;
}) {
  const note = useSignal('');
  const verification = upload?.verification ?? detail.upload?.verification;
  if (!verification) {
    return (
      <section class="card" aria-label="Receipt">
        <h2>Receipt</h2>
        <p>{reasonWithout(detail, upload, session)}</p>
      </section>
    );
  }
  const object = upload?.object;
  const copy = async () => {
    // URLs are credentials.
    const receipt = { ...upload, upload: undefined, multipart: undefined };
    const isCopied = await copyText(JSON.stringify(receipt, null, 2));
    note.value = isCopied ? 'Copied' : 'The browser does not allow to copy';
  };
  return (
    <section class="card" aria-label="Receipt">
      <h2>Receipt</h2>
      <p>
        <span class={`badge ${verification.level === 'checksum' ? 'good' : ''}`}>
          Proven by {verification.level}
        </span>
      </p>
      <p>{LEVELS[verification.level]}</p>
      <Facts
        facts={[
          ['Proven', formatTime(verification.at)],
          ['Because of', PROVERS[verification.by] ?? verification.by],
          ['Size', object && formatExactBytes(object.size)],
          ['Checksum', object?.checksum && <ChecksumText {...object.checksum} />],
          ['ETag', object && <code>{object.etag}</code>],
          ['Version', object?.version_id && <code>{object.version_id}</code>],
          ['Content type', object?.content_type],
          ['Upload', <code>{upload?.id ?? detail.upload?.id}</code>],
        ]}
      />
      {upload && (
        <p class="row">
          <button onClick={() => void copy()}>Copy receipt as JSON</button>
          <span class="hint" role="status">{note.value}</span>
        </p>
      )}
    </section>
  );
}

function reasonWithout(detail: DatasetDetail, upload: Upload | null, session: Session): string {
  if (upload?.error) {
    return `Nothing is proven. The upload failed: ${upload.error.detail}`;
  }
  if (detail.upload) {
    return hasScope(session.principal, 'uploads:read')
      ? `Nothing is proven yet: the upload is ${detail.upload.status}.`
      : 'This credential may not read uploads (scope uploads:read).';
  }
  return 'This object did not come through the broker, so that nothing is proven about it.';
}
