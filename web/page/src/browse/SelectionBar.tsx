/**
 * What can be done with the selected datasets.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { hasScope } from '../session/principal.js';
import type { Session } from '../session/session.js';
import { copyText } from '../ui/clipboard.js';
import { count } from '../words/numbers.js';
import { DeleteMany } from './DeleteMany.js';
import { pauseBetweenDownloads, saveDataset } from './downloads.js';
import { Failures } from './Failures.js';
import { inTurn } from './inTurn.js';
import type { ActionFailure } from './inTurn.js';
import { linkToDataset } from './links.js';
import { canLocate, s3Base } from './s3Location.js';

/** Actions on the selected datasets. */
export function SelectionBar({ session, paths, folder, onClear, onRemoved }: {
  session: Session;
  paths: string[];
  /** The folder that is shown; empty for a list without folders. */
  folder: string;
  onClear: () => void;
  onRemoved: (paths: ReadonlySet<string>) => void;
}) {
  const message = useSignal('');
  const failures = useSignal<ActionFailure[]>([]);
  const isDeleting = useSignal(false);
  const isDownloading = useSignal(false);
  const downloads = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => downloads.current?.abort(), []);

  const copy = async (text: string, what: string) => {
    message.value = (await copyText(text)) ? `Copied ${what}` : 'The browser does not allow to copy';
  };
  const copyLocations = async () => {
    try {
      const base = await s3Base(session);
      if (base === null) {
        message.value = 'The S3 URIs are not known: nothing was uploaded through the broker yet';
        return;
      }
      await copy(paths.map((path) => base + path).join('\n'), count(paths.length, 'S3 URI'));
    } catch (error) {
      failures.value = [{ path: 'S3 URIs', error }];
    }
  };
  const download = async () => {
    const { signal } = (downloads.current = new AbortController());
    let started = 0;
    isDownloading.value = true;
    failures.value = await inTurn(paths, 1, signal, async (path) => {
      await saveDataset(session.client, path);
      started += 1;
      message.value = `Started ${started} of ${count(paths.length, 'download')}`;
      if (started < paths.length) {
        await pauseBetweenDownloads(signal);
      }
    });
    isDownloading.value = false;
  };

  const canDelete = hasScope(session.principal, 'datasets:delete');
  return (
    <section class="selection" aria-label="Selected datasets">
      <div class="row">
        <strong>{paths.length.toLocaleString()} selected</strong>
        {isDownloading.value ? (
          <button onClick={() => downloads.current?.abort()}>Stop downloads</button>
        ) : (
          <button onClick={() => void download()}>Download</button>
        )}
        <button
          onClick={() => void copy(paths.map(linkToDataset).join('\n'), count(paths.length, 'link'))}
        >
          Copy link
        </button>
        {canLocate(session) && <button onClick={() => void copyLocations()}>Copy S3 URI</button>}
        {canDelete && (
          <button class="danger" onClick={() => (isDeleting.value = true)}>Delete …</button>
        )}
        <button class="quiet" onClick={onClear}>Clear selection</button>
      </div>
      <p class="hint" role="status">
        {message.value}
        {isDownloading.value && paths.length > 1 &&
          '. If the browser asks whether this page may download several files, allow it.'}
      </p>
      <Failures failures={failures.value} verb="downloaded" />
      {isDeleting.value && (
        <DeleteMany
          session={session}
          paths={paths}
          folder={folder}
          onRemoved={onRemoved}
          onClose={() => (isDeleting.value = false)}
        />
      )}
    </section>
  );
}
