/**
 * What the page of a dataset shows if nothing stands at the path.
 */
import type { Upload } from 'upload-broker-client';

import { hrefOf } from '../route.js';
import { hasScope } from '../session/principal.js';
import type { Session } from '../session/session.js';
import { StatusBadge } from '../ui/StatusBadge.js';
import { formatTime } from '../words/numbers.js';

/** Says what is known, and offers the way on. */
export function Missing({ session, path, upload }: {
  session: Session;
  path: string;
  upload: Upload | null;
}) {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return (
    <div class="card empty">
      <h2>There is no dataset at this path</h2>
      {upload ? (
        <p>
          The newest upload to it is <StatusBadge status={upload.status} /> since{' '}
          {formatTime(upload.updated_at)}
          {upload.error && `: ${upload.error.detail}`}
        </p>
      ) : (
        <p>It may have been deleted or moved, or the link is wrong.</p>
      )}
      <p class="row">
        <a class="button" href={hrefOf('browse', folder)}>Open the folder</a>
        {hasScope(session.principal, 'uploads:write') && (
          <a class="button" href={hrefOf('upload', '/', { to: folder })}>Upload here</a>
        )}
      </p>
    </div>
  );
}
