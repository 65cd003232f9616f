/**
 * The form that asks for a credential.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

import { ErrorNote } from '../ui/ErrorNote.js';

/** Asks for an API key or token. `error` is shown until the user tries. */
export function CredentialForm({ error: firstError, submit, children }: {
  error: unknown;
  /** Uses the credential; rejects if it is refused. */
  submit: (credential: string, isKept: boolean) => Promise<void>;
  children?: ComponentChildren;
}) {
  const error = useSignal<unknown>(firstError);
  const isBusy = useSignal(false);

  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    isBusy.value = true;
    error.value = null;
    try {
      await submit(String(form.get('credential')).trim(), form.get('keep') === 'on');
    } catch (cause) {
      error.value = cause;
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <form class="stack" onSubmit={onSubmit}>
      <label class="field">
        <span>API key or token</span>
        <input
          name="credential"
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          required
          autofocus
        />
      </label>
      <label class="check">
        <input name="keep" type="checkbox" /> Keep it until this tab is closed
      </label>
      {error.value != null && <ErrorNote error={error.value} />}
      <div class="row">
        <button class="primary" disabled={isBusy.value}>
          {isBusy.value ? 'Signing in …' : 'Sign in'}
        </button>
        {children}
      </div>
    </form>
  );
}
