/**
 * One upload, and what an operator can do with it.
 */
import { useSignal } from '@preact/signals';
import type { Upload } from 'upload-broker-client';

import { hrefOf } from '../route.js';
import { endSessionIfRefused } from '../session/session.js';
import type { Session } from '../session/session.js';
import { Dialog } from '../ui/Dialog.js';
import { ErrorNote } from '../ui/ErrorNote.js';
import { StatusBadge } from '../ui/StatusBadge.js';
import { formatBytes, formatTime } from '../words/numbers.js';

const DELETABLE = ['Uploaded', 'Processed', 'Error', 'Deleting'];

/** The path, the status, the reason of a failure, and an action. */
export function UploadRow({ session, upload, onChange, onDeleted }: {
  session: Session;
  upload: Upload;
  onChange: (upload: Upload) => void;
  onDeleted: () => void;
}) {
  const isAsking = useSignal(false);
  const { status } = upload;
  const isPending = status === 'Pending';
  const canEnd = isPending || DELETABLE.includes(status);
  const size = upload.object?.size ?? upload.size;
  const said = [
    size === null ? null : formatBytes(size),
    isPending ? `ends ${formatTime(upload.expires_at)}` : null,
    upload.error && `${upload.error.code}: ${upload.error.detail}`,
  ].filter(Boolean);
  const verb = isPending ? 'Cancel' : 'Delete';
  return (
    <div class="job-row">
      <a class="what" href={hrefOf('dataset', upload.path)} title={upload.path}>{upload.path}</a>
      <span class="hint said" title={upload.error?.detail}>{said.join(' – ')}</span>
      <span class="state"><StatusBadge status={status} /></span>
      <time class="hint" dateTime={upload.updated_at}>{formatTime(upload.updated_at)}</time>
      <span class="act">
        {canEnd && (
          <button
            class={isPending ? '' : 'danger'}
            aria-label={`${verb} ${upload.path}`}
            onClick={() => (isAsking.value = true)}
          >
            {verb} …
          </button>
        )}
      </span>
      {isAsking.value && (
        <EndDialog
          session={session}
          upload={upload}
          onClose={() => (isAsking.value = false)}
          onChange={onChange}
          onDeleted={onDeleted}
        />
      )}
    </div>
  );
}

function EndDialog({ session, upload, onClose, onChange, onDeleted }: {
  session: Session;
  upload: Upload;
  onClose: () => void;
  onChange: (upload: Upload) => void;
  onDeleted: () => void;
}) {
  const error = useSignal<unknown>(null);
  const isBusy = useSignal(false);
  const isPending = upload.status === 'Pending';
  const submit = async (event: Event) => {
    event.preventDefault();
    isBusy.value = true;
    error.value = null;
    const { client } = session;
    try {
      if (isPending) {
        const cancelled = await client.cancelUpload(upload.id);
        onClose();
        onChange(cancelled);
      } else {
        await client.api.DELETE('/uploads/{id}', { params: { path: { id: upload.id } } });
        onClose();
        onDeleted();
      }
    } catch (cause) {
      if (!endSessionIfRefused(cause)) {
        error.value = cause;
        isBusy.value = false;
      }
    }
  };
  return (
    <Dialog title={isPending ? 'Cancel this upload?' : 'Delete this upload and its object?'} onClose={onClose}>
      <form class="stack" onSubmit={(event: Event) => void submit(event)}>
        <p><code>{upload.path}</code></p>
        <p>
          {isPending
            ? 'What was sent so far is lost. Its URLs write nothing that counts any more.'
            : 'The object is deleted from the store if it is that of this upload.'}
        </p>
        {error.value != null && (
          <>
            <ErrorNote error={error.value} />
            <p>The page of the <a href={hrefOf('dataset', upload.path)}>dataset</a> has more choices.</p>
          </>
        )}
        <p class="row end">
          <button type="button" onClick={onClose}>Back</button>
          <button class="danger" disabled={isBusy.value}>
            {isPending ? 'Cancel the upload' : 'Delete'}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
