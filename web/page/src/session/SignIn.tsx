/**
 * The form that asks for a credential.
 */
import { useSignal } from '@preact/signals';

import { ErrorNote } from '../ui/ErrorNote.js';
import { signIn } from './session.js';

/** Asks for an API key or token. `reason` says why the last session ended. */
export function SignIn({ reason }: { reason: unknown }) {
  const error = useSignal<unknown>(reason);
  const isBusy = useSignal(false);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    isBusy.value = true;
    error.value = null;
    try {
      await signIn(String(form.get('credential')).trim(), form.get('keep') === 'on');
    } catch (cause) {
      error.value = cause;
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <main class="narrow">
      <h1>Sign in</h1>
      <form class="card stack" onSubmit={submit}>
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
        <button class="primary" disabled={isBusy.value}>
          {isBusy.value ? 'Signing in …' : 'Sign in'}
        </button>
        <p class="hint">
          An operator creates keys with <code>upload-broker keys create</code>. The key is sent to
          this server only, and is gone after a reload unless you keep it.
        </p>
      </form>
    </main>
  );
}
