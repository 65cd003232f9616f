/**
 * Sends bytes to a pre-signed URL, once.
 *
 * In browsers, XMLHttpRequest does it: fetch cannot report the progress of a request. Elsewhere,
 * fetch does it, and the progress is reported when the request has ended.
 */
import { StoreError, UnavailableError } from '../errors.js';
import { parseRetryAfter } from '../http/retry.js';
import { withTimeLimit } from '../http/signals.js';
import type { Connection } from '../http/connection.js';
import { sizeOf } from './source.js';
import type { Content } from './source.js';

/** A request to the store. */
export interface PutRequest {
  url: string;
  /** Exactly the headers that were signed. */
  headers: Record<string, string>;
  body: Content;
  /** Is called with the number of bytes that were sent so far, where that can be observed. */
  onSent: (bytes: number) => void;
  signal: AbortSignal | undefined;
}

/** What is needed of the answer. */
interface PutAnswer {
  status: number;
  text: string;
  retryAfter: string | null;
}

/** A request that sends less than this on average is given up, in bytes per second. */
const SLOWEST = 8 * 1024;

/** Errors of S3 with which the same request may succeed later. */
const TRANSIENT = new Set([
  'RequestTimeout',
  'ConditionalRequestConflict',
  'OperationAborted',
  'BadDigest',
  'IncompleteBody',
  // The multipart upload was replaced, or has ended: the request for a new URL finds out.
  'NoSuchUpload',
]);

/** Errors of S3 with which a new URL may help: mostly, the old one has expired. */
const URL_REJECTED = new Set([
  '',
  'AccessDenied',
  'ExpiredToken',
  'InvalidToken',
  'RequestExpired',
  'RequestTimeTooSkewed',
]);

/**
 * Whether an object stands at the path already. An earlier attempt whose answer was lost may have
 * written it: the acknowledge request finds out.
 */
export function isAlreadyThere(error: unknown): boolean {
  return error instanceof StoreError && error.status === 412;
}

/** Sends the bytes. Rejects with a `StoreError` or an `UnavailableError`. */
export async function put(connection: Connection, request: PutRequest): Promise<void> {
  const limit = 60_000 + (sizeOf(request.body) / SLOWEST) * 1000;
  const send = typeof XMLHttpRequest === 'undefined' ? sendByFetch : sendByXhr;
  const answer = await withTimeLimit(Math.min(limit, 2 ** 31 - 1), request.signal, (signal) =>
    send(connection, { ...request, signal }),
  );
  if (answer.status < 200 || answer.status > 299) {
    throw storeError(answer);
  }
}

function storeError({ status, text, retryAfter }: PutAnswer): StoreError {
  const code = text.match(/<Code>([^<]*)<\/Code>/)?.[1] ?? '';
  const isUrlRejected = status === 403 && URL_REJECTED.has(code);
  const isOverloaded = status === 408 || status === 429 || status >= 500;
  const isTransient = isUrlRejected || isOverloaded || TRANSIENT.has(code);
  return new StoreError(status, code, isTransient, parseRetryAfter(retryAfter));
}

async function sendByFetch(connection: Connection, request: PutRequest): Promise<PutAnswer> {
  const { url, headers, body, signal } = request;
  try {
    const init: RequestInit = { method: 'PUT', headers, body, signal: signal ?? null };
    const response = await connection.fetch(url, { ...init, credentials: 'omit' });
    const text = await response.text();
    return { status: response.status, text, retryAfter: response.headers.get('retry-after') };
  } catch (error) {
    signal?.throwIfAborted();
    throw new UnavailableError('The store does not answer', { cause: error });
  }
}

function sendByXhr(_: Connection, request: PutRequest): Promise<PutAnswer> {
  const { signal } = request;
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    const end = (finish: () => void) => () => {
      signal?.removeEventListener('abort', abort);
      finish();
    };
    xhr.upload.onprogress = (event) => request.onSent(event.loaded);
    xhr.onload = end(() => {
      const retryAfter = xhr.getResponseHeader('retry-after');
      resolve({ status: xhr.status, text: xhr.responseText, retryAfter });
    });
    xhr.onerror = end(() => reject(new UnavailableError('The store does not answer')));
    xhr.onabort = end(() => reject(signal?.reason));
    xhr.open('PUT', request.url);
    for (const [name, value] of Object.entries(request.headers)) {
      xhr.setRequestHeader(name, value);
    }
    signal?.addEventListener('abort', abort, { once: true });
    xhr.send(request.body);
  });
}
