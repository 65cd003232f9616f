/**
 * Deletes a dataset.
 */
import { useSignal } from '@preact/signals';
import { BrokerError } from 'upload-broker-client';
import type { DatasetDetail, Upload } from 'upload-broker-client';

import { goTo, hrefOf } from '../route.js';
import type { Session } from '../session/session.js';
import { Dialog } from '../ui/Dialog.js';
import { ErrorNote } from '../ui/ErrorNote.js';
import { count } from '../words/numbers.js';

/** What becomes of the object of another program. */
type Choice = 'remove' | 'keep';

/** Asks what to delete, and deletes it. */
export function DeleteDialog({ session, detail, upload, resultCount, onClose }: {
  session: Session;
  detail: DatasetDetail;
  upload: Upload | null;
  /** The number of datasets that were made from it. */
  resultCount: number;
  onClose: () => void;
}) {
  const isCascade = useSignal(resultCount > 0);
  const choice = useSignal<Choice | null>(null);
  const isBusy = useSignal(false);
  const error = useSignal<unknown>(null);
  const { path } = detail;
  const id = upload?.id ?? detail.upload?.id;
  // The broker may notice the drift only now.
  const isRefused = error.value instanceof BrokerError && error.value.code === 'dataset-drifted';
  const isDrifted = id !== undefined && (detail.drifted === true || isRefused);

  const submit = async (event: Event) => {
    event.preventDefault();
    isBusy.value = true;
    error.value = null;
    const cascade = isCascade.value;
    try {
      if (isDrifted && choice.value === 'keep') {
        await session.client.api.DELETE('/uploads/{id}', {
          params: { path: { id }, query: { force: 'true', cascade } },
        });
      } else {
        await session.client.remove(path, { cascade, ...(isDrifted && { force: 'remove' }) });
      }
      onClose();
      if (choice.value !== 'keep') {
        goTo(hrefOf('browse', path.slice(0, path.lastIndexOf('/') + 1)));
      }
    } catch (cause) {
      error.value = cause;
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <Dialog title="Delete this dataset?" onClose={onClose}>
      <form class="stack" onSubmit={(event: Event) => void submit(event)}>
        <p><code>{path}</code></p>
        {isDrifted ? (
          <fieldset>
            <legend>Another program has replaced the object. What becomes of the new one?</legend>
            <Radio choice={choice} value="remove" label="Delete it too: nothing stands at the path afterwards" />
            <Radio choice={choice} value="keep" label="Keep it: only the upload and its receipt end" />
          </fieldset>
        ) : (
          <p>The object is deleted from the store. This cannot be undone here.</p>
        )}
        {resultCount > 0 && (
          <label class="check">
            <input
              type="checkbox"
              checked={isCascade.value}
              onChange={(event) => (isCascade.value = event.currentTarget.checked)}
            />
            Delete what was made from it, too: {count(resultCount, 'result')}
          </label>
        )}
        {error.value != null && <ErrorNote error={error.value} />}
        <p class="row end">
          <button type="button" onClick={onClose}>Cancel</button>
          <button class="danger" disabled={isBusy.value || (isDrifted && !choice.value)}>
            {isBusy.value ? 'Deleting …' : 'Delete'}
          </button>
        </p>
      </form>
    </Dialog>
  );
}

function Radio({ choice, value, label }: {
  choice: { value: Choice | null };
  value: Choice;
  label: string;
}) {
  return (
    <label class="check">
      <input
        type="radio"
        name="choice"
        checked={choice.value === value}
        onChange={() => (choice.value = value)}
      />
      {label}
    </label>
  );
}
