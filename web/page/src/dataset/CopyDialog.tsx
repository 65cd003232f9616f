/**
 * Copies or moves a dataset. The store copies the bytes.
 */
import { useSignal } from '@preact/signals';

import { goTo, hrefOf } from '../route.js';
import { hasScope } from '../session/principal.js';
import type { Session } from '../session/session.js';
import { Dialog } from '../ui/Dialog.js';
import { ErrorNote } from '../ui/ErrorNote.js';

/** Asks for the new path. */
export function CopyDialog({ session, path, onClose }: {
  session: Session;
  path: string;
  onClose: () => void;
}) {
  const to = useSignal(path);
  const isMove = useSignal(false);
  const isOverwrite = useSignal(false);
  const isBusy = useSignal(false);
  const error = useSignal<unknown>(null);
  /** The target of a copy that continues in the background. */
  const pending = useSignal('');

  const submit = async (event: Event) => {
    event.preventDefault();
    const target = `/${to.value.trim().replace(/^\//, '')}`;
    isBusy.value = true;
    error.value = null;
    try {
      const { response } = await session.client.api.POST('/datasets/{path}/action/copy', {
        params: { path: { path }, header: { 'Idempotency-Key': newKey() } },
        body: { to: target, move: isMove.value, overwrite: isOverwrite.value },
      });
      if (response.status === 202) {
        pending.value = target;
      } else {
        onClose();
        goTo(hrefOf('dataset', target));
      }
    } catch (cause) {
      error.value = cause;
    } finally {
      isBusy.value = false;
    }
  };

  if (pending.value) {
    return (
      <Dialog title="The copy continues in the background" onClose={onClose}>
        <p>It appears at <a href={hrefOf('dataset', pending.value)}>{pending.value}</a> once it is proven.</p>
        <p class="row end"><button onClick={onClose}>Close</button></p>
      </Dialog>
    );
  }
  const verb = isMove.value ? 'Move' : 'Copy';
  return (
    <Dialog title="Copy or move" onClose={onClose}>
      <form class="stack" onSubmit={(event: Event) => void submit(event)}>
        <label class="field">
          <span>New path</span>
          <input
            value={to.value}
            required
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => (to.value = event.currentTarget.value)}
          />
        </label>
        {hasScope(session.principal, 'datasets:delete') && (
          <label class="check">
            <input
              type="checkbox"
              checked={isMove.value}
              onChange={(event) => (isMove.value = event.currentTarget.checked)}
            />
            Move: delete it here once the copy is proven
          </label>
        )}
        <label class="check">
          <input
            type="checkbox"
            checked={isOverwrite.value}
            onChange={(event) => (isOverwrite.value = event.currentTarget.checked)}
          />
          Replace a dataset that stands there
        </label>
        {error.value != null && <ErrorNote error={error.value} />}
        <p class="row end">
          <button type="button" onClick={onClose}>Cancel</button>
          <button class="primary" disabled={isBusy.value || to.value.trim() === path}>
            {isBusy.value ? 'Copying …' : verb}
          </button>
        </p>
      </form>
    </Dialog>
  );
}

/** With a key, the client repeats the request after a fault. `randomUUID` needs a secure context. */
function newKey(): string {
  return `copy-${crypto.getRandomValues(new Uint32Array(4)).join('-')}`;
}
