/**
 * Explains that an object is no longer the proven one.
 */
import type { DatasetDetail, Upload } from 'upload-broker-client';

import { formatBytes, formatTime } from '../words/numbers.js';

/** What stands at the path now, and what was proven. */
export function DriftNote({ detail, upload }: { detail: DatasetDetail; upload: Upload | null }) {
  const proven = upload?.object;
  return (
    <div class="note warn">
      <strong>Another program has replaced this object since it was proven</strong>
      <p>
        The receipt is that of the object before. What stands here now came on{' '}
        {formatTime(detail.last_modified)}, has {formatBytes(detail.size)} and the ETag{' '}
        <code>{detail.etag}</code>, and nothing is proven about it.
        {proven && (
          <>
            {' '}The proven object had {formatBytes(proven.size)} and the ETag{' '}
            <code>{proven.etag}</code>.
          </>
        )}
        {upload?.drift && ` The broker noticed it on ${formatTime(upload.drift.at)}.`}
      </p>
      <p>
        A download gets the new object. To have it proven, upload it through the broker. A copy is
        refused. When you delete it, you choose what becomes of the new object.
      </p>
    </div>
  );
}
