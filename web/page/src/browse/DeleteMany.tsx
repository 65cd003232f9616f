/**
 * Deletes the selected datasets, after a confirmation.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import type { Session } from '../session/session.js';
import { Dialog } from '../ui/Dialog.js';
import { count } from '../words/numbers.js';
import { lastSegment } from './entries.js';
import { Failures } from './Failures.js';
import { inTurn } from './inTurn.js';
import type { ActionFailure } from './inTurn.js';

/** More datasets than this have to be confirmed by typing. */
const MANY = 10;
const AT_ONCE = 4;

/** Asks, deletes, and says what could not be deleted. */
export function DeleteMany({ session, paths, folder, onRemoved, onClose }: {
  session: Session;
  paths: string[];
  folder: string;
  onRemoved: (paths: ReadonlySet<string>) => void;
  onClose: () => void;
}) {
  // What is selected changes while datasets disappear.
  const targets = useRef(paths).current;
  const typed = useSignal('');
  const done = useSignal(0);
  const failures = useSignal<ActionFailure[]>([]);
  const state = useSignal<'asking' | 'deleting' | 'failed'>('asking');
  const run = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => run.current?.abort(), []);

  const folderName = lastSegment(folder).replace('/', '');
  const answers = [String(targets.length), folderName].filter(Boolean);
  const isConfirmed = targets.length <= MANY || answers.includes(typed.value.trim());

  const remove = async () => {
    const { signal } = (run.current = new AbortController());
    const gone = new Set<string>();
    state.value = 'deleting';
    failures.value = await inTurn(targets, AT_ONCE, signal, async (path) => {
      await session.client.remove(path, { signal });
      gone.add(path);
      done.value = gone.size;
    });
    if (failures.value.length === 0) {
      onClose();
    } else {
      state.value = 'failed';
    }
    // This may remove the bar that contains the dialog.
    onRemoved(gone);
  };

  const title = `Delete ${count(targets.length, 'dataset')}?`;
  if (state.value === 'failed') {
    return (
      <Dialog title="Not everything was deleted" onClose={onClose}>
        <Failures failures={failures.value} verb="deleted" />
        <p class="row end"><button onClick={onClose}>Close</button></p>
      </Dialog>
    );
  }
  if (state.value === 'deleting') {
    return (
      <Dialog title={`Deleting ${count(targets.length, 'dataset')}`} onClose={() => run.current?.abort()}>
        <progress max={targets.length} value={done.value} aria-label="Deleted datasets" />
        <p>{done.value.toLocaleString()} deleted</p>
        <p class="row end"><button onClick={() => run.current?.abort()}>Stop</button></p>
      </Dialog>
    );
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event: Event) => {
          event.preventDefault();
          void remove();
        }}
      >
        <ul class="targets" tabIndex={0} aria-label="Datasets to delete">
          {targets.slice(0, MANY).map((path) => <li key={path}>{path}</li>)}
          {targets.length > MANY && <li>… and {(targets.length - MANY).toLocaleString()} more</li>}
        </ul>
        <p>Their objects are deleted from the store. This cannot be undone here.</p>
        {targets.length > MANY && (
          <label class="field">
            <span>
              To confirm, type {answers.map((answer, index) => (
                <>
                  {index > 0 && ' or '}<code>{answer}</code>
                </>
              ))}
            </span>
            <input
              value={typed.value}
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => (typed.value = event.currentTarget.value)}
            />
          </label>
        )}
        <p class="row end">
          <button type="button" onClick={onClose}>Cancel</button>
          <button class="danger" disabled={!isConfirmed}>Delete</button>
        </p>
      </form>
    </Dialog>
  );
}
