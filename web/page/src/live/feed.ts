/**
 * The live events of the tenant: one stream for all tabs of the browser.
 *
 *     broker ──stream──▶ the elected tab ──BroadcastChannel──▶ the other tabs
 *
 * | Fault | What happens |
 * |---|---|
 * | The elected tab is closed | another one continues at the position that all tabs know |
 * | The connection breaks | the client of the broker reconnects, and continues there |
 * | The position is lost, or the stream opens for the first time | listeners read their data again |
 * | The credential is refused | the session ends, in each tab that uses it |
 */
import { signal } from '@preact/signals';
import type { UploadEvent } from 'upload-broker-client';

import { hasScope } from '../session/principal.js';
import { endSessionIfRefused } from '../session/session.js';
import type { Session } from '../session/session.js';
import { leadWhenElected } from './election.js';
import type { LiveMessage } from './messages.js';

/** The state of the stream. `off`: this credential may not read events, or they were refused. */
export type LiveState = 'off' | 'connecting' | 'live' | 'reconnecting';

/** What a view does with the stream. */
export interface LiveListener {
  onEvent(event: UploadEvent): void;
  /** Events may be missing: read everything again. */
  onReset(): void;
}

/** The events of one session. */
export class LiveFeed {
  readonly state = signal<LiveState>('connecting');
  readonly #session: Session;
  readonly #listeners = new Set<LiveListener>();
  readonly #end = new AbortController();
  #channel: BroadcastChannel | undefined;
  #cursor = '';
  #isLeader = false;

  constructor(session: Session) {
    this.#session = session;
    if (hasScope(session.principal, 'uploads:read')) {
      void this.#run();
    } else {
      this.state.value = 'off';
    }
  }

  /** Adds a listener. Returns the function that removes it. */
  subscribe(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Leaves the stream to the other tabs. */
  stop(): void {
    this.#end.abort();
    this.#channel?.close();
    this.#listeners.clear();
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    const name = await nameOf(this.#session);
    if (signal.aborted) {
      return;
    }
    if ('BroadcastChannel' in globalThis) {
      this.#channel = new BroadcastChannel(name);
      this.#channel.onmessage = ({ data }: MessageEvent<LiveMessage>) => this.#take(data);
      this.#post({ kind: 'hello' });
    }
    await leadWhenElected(name, signal, (turn) => this.#lead(turn));
  }

  /** Reads the stream, and passes everything on to the other tabs. */
  async #lead(turn: AbortSignal): Promise<void> {
    const share = (message: LiveMessage) => {
      this.#take(message);
      this.#post(message);
    };
    this.#isLeader = true;
    try {
      const events = this.#session.client.events({
        ...(this.#cursor && { after: this.#cursor }),
        onReset: () => share({ kind: 'reset' }),
        onConnection: (isOpen, cursor) => share({ kind: 'connection', isOpen, cursor }),
        signal: turn,
      });
      for await (const { event, cursor } of events) {
        share({ kind: 'event', event, cursor });
      }
    } catch (error) {
      if (!turn.aborted && !endSessionIfRefused(error)) {
        this.state.value = 'off';
      }
    } finally {
      this.#isLeader = false;
    }
  }

  #post(message: LiveMessage): void {
    if (!this.#end.signal.aborted) {
      this.#channel?.postMessage(message);
    }
  }

  #take(message: LiveMessage): void {
    switch (message.kind) {
      case 'event':
        this.#cursor = message.cursor;
        this.#listeners.forEach((listener) => listener.onEvent(message.event));
        break;
      case 'reset':
        this.#listeners.forEach((listener) => listener.onReset());
        break;
      case 'hello':
        if (this.#isLeader && this.#cursor) {
          const isOpen = this.state.value === 'live';
          this.#post({ kind: 'welcome', isOpen, cursor: this.#cursor });
        }
        break;
      case 'connection':
        if (!this.#cursor) {
          // What happened between the first request of a view and now is in no list and no event.
          this.#listeners.forEach((listener) => listener.onReset());
        }
        this.#connect(message.isOpen, message.cursor);
        break;
      case 'welcome':
        if (!this.#isLeader) {
          this.#connect(message.isOpen, message.cursor);
        }
        break;
    }
  }

  #connect(isOpen: boolean, cursor: string): void {
    this.#cursor = cursor;
    this.state.value = isOpen ? 'live' : 'reconnecting';
  }
}

/**
 * The name that the tabs of one user share. Tabs with different credentials never do: what one may
 * see, the other perhaps may not.
 */
async function nameOf({ principal, credential }: Session): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([principal.tenant, credential]));
  // Without a secure context there is no digest, and no tab listens to another one either.
  const digest = await globalThis.crypto.subtle?.digest('SHA-256', text);
  const bytes = digest ? new Uint8Array(digest) : crypto.getRandomValues(new Uint8Array(32));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `upload-broker.live.${hex}`;
}
