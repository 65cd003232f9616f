/**
 * What can be done with a dataset.
 */
import { useSignal } from '@preact/signals';
import type { DatasetDetail } from 'upload-broker-client';

import { saveDataset } from '../browse/downloads.js';
import { linkToDataset } from '../browse/links.js';
import { canLocate, s3Base } from '../browse/s3Location.js';
import { hasScope } from '../session/principal.js';
import { endSessionIfRefused } from '../session/session.js';
import type { Session } from '../session/session.js';
import { copyText } from '../ui/clipboard.js';
import { ErrorNote } from '../ui/ErrorNote.js';
import { formatTime } from '../words/numbers.js';
import { CopyDialog } from './CopyDialog.js';
import { DeleteDialog } from './DeleteDialog.js';
import type { DatasetModel } from './useDataset.js';

/** The actions that the credential may use. */
export function Actions({ session, model, detail }: {
  session: Session;
  model: DatasetModel;
  detail: DatasetDetail;
}) {
  const message = useSignal('');
  const error = useSignal<unknown>(null);
  const dialog = useSignal<'copy' | 'delete' | null>(null);
  const { client, principal } = session;
  const { path } = detail;
  const { upload, results } = model.state.value;

  const run = async (action: () => Promise<string>) => {
    error.value = null;
    message.value = '';
    try {
      message.value = await action();
    } catch (cause) {
      if (!endSessionIfRefused(cause)) {
        error.value = cause;
      }
    }
  };
  const copied = async (text: string, what: string) =>
    (await copyText(text)) ? `Copied ${what}` : 'The browser does not allow to copy';
  const download = () =>
    run(async () => {
      await saveDataset(client, path);
      return 'The download has started';
    });
  const copyDownload = () =>
    run(async () => {
      const { url, expires_at: end } = await client.downloadUrl(path, { disposition: 'attachment' });
      return copied(url, `a link without sign-in, which ends on ${formatTime(end)}`);
    });
  const copyLocation = () =>
    run(async () => {
      const base = upload ? upload.s3_url.slice(0, -path.length) : await s3Base(session);
      return base === null
        ? 'The S3 URI is not known: nothing was uploaded through the broker yet'
        : copied(base + path, 'the S3 URI');
    });
  const close = () => (dialog.value = null);

  return (
    <div class="actions">
      <div class="row">
        <button class="primary" onClick={() => void download()}>Download</button>
        <button onClick={() => void run(() => copied(linkToDataset(path), 'the link to this page'))}>
          Copy link
        </button>
        <button onClick={() => void copyDownload()}>Copy download link</button>
        {canLocate(session) && <button onClick={() => void copyLocation()}>Copy S3 URI</button>}
        {hasScope(principal, 'uploads:write') && (
          <button onClick={() => (dialog.value = 'copy')}>Copy or move …</button>
        )}
        {hasScope(principal, 'datasets:delete') && (
          <button class="danger" onClick={() => (dialog.value = 'delete')}>Delete …</button>
        )}
      </div>
      <p class="hint" role="status">{message.value}</p>
      {error.value != null && <ErrorNote error={error.value} />}
      {dialog.value === 'copy' && <CopyDialog session={session} path={path} onClose={close} />}
      {dialog.value === 'delete' && (
        <DeleteDialog
          session={session}
          detail={detail}
          upload={upload}
          resultCount={results.length}
          onClose={close}
        />
      )}
    </div>
  );
}
