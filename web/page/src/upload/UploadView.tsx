/**
 * The view that uploads files.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import type { ViewProps } from '../app.js';
import { hasScope } from '../session/principal.js';
import { count } from '../words/numbers.js';
import { folderProblem, normalizeFolder } from './collect/paths.js';
import { DropZone } from './parts/DropZone.js';
import type { OnFiles } from './parts/FileButton.js';
import { FileList } from './parts/FileList.js';
import { Interrupted } from './parts/Interrupted.js';
import { Overall } from './parts/Overall.js';
import { TargetForm } from './parts/TargetForm.js';
import { findInterrupted } from './state/interrupted.js';
import type { Filter } from './state/rows.js';
import { chosenDetails, chosenFolder, folder, metadata, metadataProblem, name } from './state/target.js';
import { addFiles, engineError, unreadable } from './state/uploads.js';
import './upload.css';

/** Lets the user upload files, and shows how far they are. */
export function UploadView({ session, route }: ViewProps) {
  const { principal } = session;
  const filter = useSignal<Filter>('all');
  const wanted = route.query.get('to');

  useEffect(() => {
    if (wanted !== null) {
      folder.value = normalizeFolder(wanted);
    } else if (!normalizeFolder(folder.value).startsWith(principal.prefix)) {
      folder.value = principal.prefix;
    }
  }, [wanted, principal.prefix]);
  useEffect(() => void findInterrupted(principal.tenant), [principal.tenant]);

  if (!hasScope(principal, 'uploads:write')) {
    return (
      <>
        <h1>Upload</h1>
        <div class="note warn">This key may not upload. It lacks the scope <code>uploads:write</code>.</div>
      </>
    );
  }
  const problem = folderProblem(folder.value, principal.prefix) ?? metadataProblem(metadata.value);
  const onFiles: OnFiles = (chunks, isSingle) => {
    void addFiles(chunks, chosenFolder(), chosenDetails(isSingle));
    name.value = '';
  };
  return (
    <div class="stack upload">
      <h1>Upload</h1>
      {!isSecureContext && <InsecureNote />}
      {engineError.value && <div class="note error" role="alert">{engineError.value}</div>}
      <Interrupted />
      <div class="card stack">
        <TargetForm prefix={principal.prefix} />
        <DropZone onFiles={onFiles} problem={problem} />
      </div>
      {unreadable.value.length > 0 && <UnreadableNote paths={unreadable.value} />}
      <Overall filter={filter} />
      <FileList filter={filter} session={session} />
    </div>
  );
}

function InsecureNote() {
  return (
    <div class="note warn">
      <strong>This page was not opened over HTTPS</strong>
      <p>
        Uploads work. The browser cannot keep the screen on, open files again after a reload, or
        prevent that two tabs resume the same upload.
      </p>
    </div>
  );
}

function UnreadableNote({ paths }: { paths: string[] }) {
  const named = paths.slice(0, 5).join(', ');
  return (
    <div class="note warn" role="alert">
      <strong>{count(paths.length, 'file')} could not be read</strong>
      <p>{named}{paths.length > 5 && ' and others'}</p>
      <button onClick={() => (unreadable.value = [])}>Dismiss</button>
    </div>
  );
}
