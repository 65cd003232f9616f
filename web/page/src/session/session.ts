/**
 * The session of the page: a credential, what it may do, and the client that uses it.
 *
 * The credential is kept in memory. If the user asks for it, it is kept in the storage of this tab
 * too, which the browser clears when the tab is closed.
 */
import { signal } from '@preact/signals';
import { BrokerClient, BrokerError, dataOf } from 'upload-broker-client';

import { takeLinkedToken } from './link.js';
import type { Principal } from './principal.js';

/** An authenticated user. */
export interface Session {
  client: BrokerClient;
  /** Empty where the broker needs none. */
  credential: string;
  principal: Principal;
}

/** What the page knows about the user. */
export type SessionState =
  | { kind: 'starting' }
  | { kind: 'signed-out'; reason: unknown }
  | { kind: 'signed-in'; session: Session };

const STORED = 'upload-broker.credential';

/** The current state. */
export const sessionState = signal<SessionState>({ kind: 'starting' });

/** Signs in with the token of the address, with a stored credential, or without one. */
export async function startSession(): Promise<void> {
  const linked = takeLinkedToken();
  const credential = linked ?? sessionStorage.getItem(STORED) ?? '';
  try {
    await signIn(credential, sessionStorage.getItem(STORED) !== null && !linked);
  } catch (error) {
    const isExpected = credential === '' && error instanceof BrokerError && error.status === 401;
    endSession(isExpected ? null : error);
  }
}

/** Asks the broker what the credential may do. Rejects if it refuses. */
export async function signIn(credential: string, isKept: boolean): Promise<void> {
  const client = new BrokerClient({ url: location.origin, credential });
  const principal = dataOf(await client.api.GET('/principal'));
  if (isKept) {
    sessionStorage.setItem(STORED, credential);
  } else {
    sessionStorage.removeItem(STORED);
  }
  sessionState.value = { kind: 'signed-in', session: { client, credential, principal } };
}

/** Forgets the credential. `reason` is an error to show, or null. */
export function endSession(reason: unknown = null): void {
  sessionStorage.removeItem(STORED);
  sessionState.value = { kind: 'signed-out', reason };
}

/** Ends the session if the broker no longer accepts its credential. Returns whether it did. */
export function endSessionIfRefused(error: unknown): boolean {
  const isRefused = error instanceof BrokerError && error.status === 401;
  if (isRefused) {
    endSession(error);
  }
  return isRefused;
}
