/**
 * The errors of this client. An upload that is aborted rejects with the reason of its signal
 * instead.
 */
import type { Problem, Upload } from './schema-types.js';

/** An error that a later attempt may not meet. */
export interface RetryHint {
  /** Whether the same request may succeed later. */
  readonly transient: boolean;
  /** How long the server asked to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** The broker answered with an error. */
export class BrokerError extends Error implements RetryHint {
  override readonly name: string = 'BrokerError';
  readonly transient: boolean;

  constructor(
    /** The HTTP status. */
    readonly status: number,
    /** The problem document. Its `code` names the kind of the error. */
    readonly problem: Problem,
    readonly retryAfterMs?: number,
  ) {
    super(`${problem.title}: ${problem.detail} (${problem.code}, request ${problem.request_id})`);
    this.transient = status === 408 || status === 429 || status >= 500;
  }

  /** The stable name of the kind of error, such as `size-limit-exceeded`. */
  get code(): string {
    return this.problem.code;
  }
}

/**
 * Another dataset stands at the path: `overwrite` was not requested, or the version that `ifMatch`
 * names is no longer there. Nothing was replaced.
 */
export class ConflictError extends BrokerError {
  override readonly name = 'ConflictError';
}

/** The store rejected a request with a pre-signed URL. */
export class StoreError extends Error implements RetryHint {
  override readonly name = 'StoreError';

  constructor(
    /** The HTTP status. */
    readonly status: number,
    /** The error code of S3, such as `AccessDenied`; empty if the store named none. */
    readonly code: string,
    readonly transient: boolean,
    readonly retryAfterMs?: number,
  ) {
    super(`The store answered ${status}${code && ` (${code})`}`);
  }
}

/** The broker or the store did not answer, or the connection broke. */
export class UnavailableError extends Error implements RetryHint {
  override readonly name = 'UnavailableError';
  readonly transient = true;
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * The upload session of an idempotency key has ended without a dataset: it was cancelled, expired,
 * failed, or its dataset was deleted. Start again with another key.
 */
export class SessionEndedError extends Error {
  override readonly name = 'SessionEndedError';

  constructor(
    /** The session. `error` says why it failed. */
    readonly upload: Upload,
  ) {
    super(`Upload ${upload.id} is ${upload.status}: use another idempotency key`);
  }
}
