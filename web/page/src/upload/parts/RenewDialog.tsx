/**
 * Asks for a credential while files wait: the last one has expired or was revoked.
 */
import { BrokerClient, dataOf } from 'upload-broker-client';

import { CredentialForm } from '../../session/CredentialForm.js';
import { endSession, sessionState, signIn } from '../../session/session.js';
import { Dialog } from '../../ui/Dialog.js';
import type { ErrorWords } from '../../words/errors.js';

/** The files stay where they are; they go on with the new credential. */
export function RenewDialog({ error }: { error: ErrorWords }) {
  const state = sessionState.value;
  const tenant = state.kind === 'signed-in' ? state.session.principal.tenant : null;

  const submit = async (credential: string, isKept: boolean) => {
    const client = new BrokerClient({ url: location.origin, credential });
    const principal = dataOf(await client.api.GET('/principal', {}));
    if (tenant !== null && principal.tenant !== tenant) {
      throw new Error(`This key belongs to the tenant ${principal.tenant}. The files are for ${tenant}.`);
    }
    await signIn(credential, isKept);
  };
  return (
    <Dialog title="Sign in again" onClose={() => undefined}>
      <p>
        The broker no longer accepts the key or token. Your files are still here, and go on as soon
        as you sign in.
      </p>
      <p>
        {error.title}
        {error.requestId && <> (request <code>{error.requestId}</code>)</>}
      </p>
      <CredentialForm error={null} submit={submit}>
        <button type="button" onClick={() => endSession()}>Sign out</button>
      </CredentialForm>
    </Dialog>
  );
}
