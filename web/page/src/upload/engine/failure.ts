/**
 * What a failure means for the queue.
 */
import {
  BrokerError,
  ConflictError,
  isTransient,
  SessionEndedError,
  StoreError,
  UnavailableError,
} from 'upload-broker-client';

/**
 * What to do next:
 *
 * | Kind | Meaning |
 * |---|---|
 * | `conflict` | another dataset stands at the path: ask |
 * | `credential` | the broker refuses the credential: everything waits for another |
 * | `network` | nothing answers, or everything is refused for a while: everything waits |
 * | `session` | the session has ended: start again with a new one |
 * | `again` | this file may succeed later |
 * | `final` | this file cannot be uploaded |
 */
export type FailureKind = 'conflict' | 'credential' | 'network' | 'session' | 'again' | 'final';

/** Sorts an error. */
export function kindOfFailure(error: unknown): FailureKind {
  if (error instanceof ConflictError) {
    return 'conflict';
  }
  if (error instanceof SessionEndedError) {
    return 'session';
  }
  if (error instanceof BrokerError) {
    if (error.status === 401) {
      return 'credential';
    }
    // The body differs from that of the interrupted upload, for example by the type of the file.
    if (error.code === 'idempotency-key-reused') {
      return 'session';
    }
  }
  if (error instanceof UnavailableError) {
    return 'network';
  }
  if (!isTransient(error)) {
    return 'final';
  }
  const isOfStore = error instanceof StoreError && error.status >= 500;
  return isOfStore || error instanceof BrokerError ? 'network' : 'again';
}
