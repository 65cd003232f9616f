/**
 * Many small uploads with few requests: sessions are created and acknowledged in batches, and the
 * bytes of each are sent in one request.
 *
 * A failed entry of a batch does not affect the others: its result is an error. A promise rejects
 * only if the request as a whole fails.
 */
import { BrokerError } from './errors.js';
import { dataOf } from './http/connection.js';
import type { Connection } from './http/connection.js';
import { brokerErrorOf } from './http/problem.js';
import type { AcknowledgeOne, CreateUpload, Upload } from './schema-types.js';
import type { components } from './schema.js';
import { isAlreadyThere, put } from './upload/put.js';

/** The result of an entry of a batch. */
export type BatchResult = Upload | BrokerError;

/** How to create a batch of sessions. */
export interface CreateUploadsOptions {
  /** With it, the request is retried; a session is created once. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** How to send the bytes of a session. */
export interface SendOptions {
  /** Is called with the number of bytes that were sent so far, where that can be observed. */
  onSent?: (bytes: number) => void;
  signal?: AbortSignal;
}

/** Creates up to 1,000 sessions. The results are in the order of the bodies. */
export async function createUploads(
  connection: Connection,
  bodies: CreateUpload[],
  { idempotencyKey, signal }: CreateUploadsOptions = {},
): Promise<BatchResult[]> {
  const answer = await connection.api.POST('/uploads/batch', {
    params: { header: { 'Idempotency-Key': idempotencyKey } },
    body: { uploads: bodies },
    signal: signal ?? null,
  });
  return resultsOf(dataOf(answer));
}

/**
 * Acknowledges up to 1,000 uploads. The results are in the order of the claims. An error that is
 * `transient` means that the entry was not tried: send it again.
 */
export async function acknowledgeUploads(
  connection: Connection,
  claims: AcknowledgeOne[],
  signal: AbortSignal | undefined,
): Promise<BatchResult[]> {
  const answer = await connection.api.POST('/uploads/batch/acknowledge', {
    body: { acknowledge: claims },
    signal: signal ?? null,
  });
  return resultsOf(dataOf(answer));
}

/**
 * Sends the bytes of a session that is not one in parts, once, without retries. Returns `occupied`
 * if an object stands at the path: an earlier attempt may have written it, which the acknowledge
 * request finds out.
 */
export async function sendBytes(
  connection: Connection,
  upload: Upload,
  blob: Blob,
  { onSent = () => undefined, signal }: SendOptions = {},
): Promise<'sent' | 'occupied'> {
  if (!upload.upload) {
    throw new Error(`Upload ${upload.id} has no URL for its bytes`);
  }
  const { url, headers } = upload.upload;
  try {
    await put(connection, { url, headers, body: blob, onSent, signal });
    return 'sent';
  } catch (error) {
    if (isAlreadyThere(error)) {
      return 'occupied';
    }
    throw error;
  }
}

/** The results of a batch. `openapi-fetch` widens tuples of the generated types. */
function resultsOf(answer: unknown): BatchResult[] {
  const { results } = answer as components['schemas']['BatchResults'];
  return results.map((result) =>
    'upload' in result ? result.upload : brokerErrorOf(result.status, result.problem),
  );
}
