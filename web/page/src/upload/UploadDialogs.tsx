/**
 * What the uploads of the page show in every view: questions, and announcements to screen readers.
 */
import { useEffect } from 'preact/hooks';

import { ConflictDialog } from './parts/ConflictDialog.js';
import { RenewDialog } from './parts/RenewDialog.js';
import { keepAwakeWhileSending } from './state/keep-awake.js';
import { warnBeforeLeaving } from './state/leave-guard.js';
import { announcement, credentialError, question } from './state/uploads.js';

/** Is in the frame of the page, because uploads go on while another view is shown. */
export function UploadDialogs() {
  useEffect(warnBeforeLeaving, []);
  useEffect(keepAwakeWhileSending, []);
  const isRefused = credentialError.value !== null;
  return (
    <>
      <p role="status" class="hidden-text">{announcement.value}</p>
      {isRefused && <RenewDialog error={credentialError.value!} />}
      {/* The key makes every question a new dialog, which is read out. */}
      {!isRefused && question.value && (
        <ConflictDialog key={question.value.id} question={question.value} />
      )}
    </>
  );
}
