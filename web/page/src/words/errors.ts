/**
 * Errors in words that a person can act on.
 */
import {
  BrokerError,
  ConflictError,
  SessionEndedError,
  StoreError,
  UnavailableError,
} from 'upload-broker-client';

/** An error as a person reads it. */
export interface ErrorWords {
  /** What went wrong. */
  title: string;
  /** What to do about it; empty if nothing is known. */
  advice: string;
  /** The id by which the broker logged the request. */
  requestId: string | null;
}

/** What to do about the problems of the broker, by code. */
const ADVICE: Record<string, string> = {
  unauthenticated: 'Sign in with a key or token that is valid. The last one was mistyped, revoked or has expired.',
  'insufficient-scope': 'Ask an operator for a key with the right that is named here.',
  'outside-prefix': 'Choose a folder that this key may write to.',
  'quota-exceeded': 'Delete what is no longer needed, or ask an operator for a larger quota.',
  'size-limit-exceeded': 'Choose a smaller file, or ask an operator to raise the limit.',
  'content-type-not-allowed': 'This broker does not accept files of this kind.',
  'dataset-exists': 'Choose another name, or replace the dataset that stands there.',
  'dataset-drifted': 'Another program has written to this path since. Reload, and check which version you want.',
  'object-missing': 'The bytes have not arrived in the store. Upload the file again.',
  'object-mismatch': 'What arrived is not what was sent. Upload the file again.',
  'token-spent': 'This link was made for fewer or smaller files. Ask for a new one.',
  'rate-limited': 'Wait a moment. The page tries again by itself.',
};

/** Describes an error. */
export function describeError(error: unknown): ErrorWords {
  if (error instanceof ConflictError) {
    return fromProblem(error, 'Another dataset stands at this path');
  }
  if (error instanceof BrokerError) {
    return fromProblem(error, error.problem.title);
  }
  if (error instanceof StoreError) {
    const code = error.code && ` (${error.code})`;
    const title = `The store refused the file with status ${error.status}${code}`;
    return { title, advice: 'Try again. If it happens again, inform an operator.', requestId: null };
  }
  if (error instanceof UnavailableError) {
    const advice = navigator.onLine
      ? 'The server may be restarting. Try again in a moment.'
      : 'This device is offline. Connect to the network, then try again.';
    return { title: error.message, advice, requestId: null };
  }
  if (error instanceof SessionEndedError) {
    return { title: 'This upload has ended', advice: 'Upload the file again.', requestId: null };
  }
  const title = error instanceof Error ? error.message : String(error);
  return { title, advice: '', requestId: null };
}

function fromProblem(error: BrokerError, title: string): ErrorWords {
  const { detail, errors, request_id: requestId } = error.problem;
  const fields = (errors ?? []).map((field) => field.detail).filter((text) => !detail.includes(text));
  const advice = [detail, ...fields, ADVICE[error.code] ?? ''].filter(Boolean).join(' ');
  return { title, advice, requestId };
}
