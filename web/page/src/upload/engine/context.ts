/**
 * What the parts of the engine share.
 */
import type { BrokerClient, Upload } from 'upload-broker-client';

import type { Memory } from '../memory/memory.js';
import type { Ledger } from './ledger.js';
import type { Network } from './network.js';
import type { Row } from './row.js';

/** The engine, as its lanes use it. */
export interface Context {
  /** The client with the current credential. */
  readonly client: BrokerClient;
  readonly ledger: Ledger;
  readonly network: Network;
  readonly memory: Memory;
  /** Whether something may be started: there is a credential, and the network works. */
  readonly mayStart: boolean;
  /** Starts what can be started. */
  pump(): void;
  /** Decides what becomes of a row that has failed. */
  fail(row: Row, error: unknown): void;
  /** Puts a row back to the queue; after too many failures it ends with the error. */
  tryAgain(row: Row, error: unknown): void;
  /** Whether an error stops all rows, for a while or until there is another credential. */
  holdFor(error: unknown): boolean;
  /** Asks what to do with a row whose path is taken. */
  ask(row: Row): void;
  /** A row has arrived and is proven. */
  finish(row: Row, upload: Upload): void;
  /** Ends the session of a row that nothing will use. */
  endSession(row: Row): void;
}
