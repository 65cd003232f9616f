/**
 * The access of the engine to the broker: a client with a credential, as long as that is accepted.
 */
import { BrokerClient } from 'upload-broker-client';

import type { Access, Limits } from './messages.js';

/** A few retries suffice, because the engine tries again by itself. */
const ATTEMPTS = 4;

/** Holds the current credential. */
export class BrokerAccess {
  #client: BrokerClient | null = null;
  #limits: Limits | null = null;
  #isRefused = false;

  /** The client. There is one as soon as the engine has got its first message. */
  get client(): BrokerClient {
    if (!this.#client) {
      throw new Error('The engine has no credential yet');
    }
    return this.#client;
  }

  get limits(): Limits | null {
    return this.#limits;
  }

  /** Whether there is a credential that the broker has not refused. */
  get isAccepted(): boolean {
    return this.#client !== null && !this.#isRefused;
  }

  /** Uses a new credential. */
  open({ url, credential, limits }: Access): void {
    this.#client = new BrokerClient({ url, credential, retry: { attempts: ATTEMPTS } });
    this.#limits = limits;
    this.#isRefused = false;
  }

  /** The broker refuses the credential. Returns whether that is new. */
  refuse(): boolean {
    const isNew = !this.#isRefused;
    this.#isRefused = true;
    return isNew;
  }
}
