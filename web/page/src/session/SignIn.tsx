/**
 * The view that asks for a credential.
 */
import { CredentialForm } from './CredentialForm.js';
import { signIn } from './session.js';

/** Asks for an API key or token. `reason` says why the last session ended. */
export function SignIn({ reason }: { reason: unknown }) {
  return (
    <main class="narrow">
      <h1>Sign in</h1>
      <div class="card stack">
        <CredentialForm error={reason} submit={signIn} />
        <p class="hint">
          An operator creates keys with <code>upload-broker keys create</code>. The key is sent to
          this server only, and is gone after a reload unless you keep it.
        </p>
      </div>
    </main>
  );
}
