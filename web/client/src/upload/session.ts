/**
 * The requests of an upload session.
 */
import { BrokerError, SessionEndedError } from '../errors.js';
import { dataOf } from '../http/connection.js';
import type { Connection } from '../http/connection.js';
import type { Acknowledge, CreateUpload, Part, Upload, UploadedPart } from '../schema-types.js';

/** The broker answers 503 while the store assembles a large object, which takes minutes. */
const ACKNOWLEDGE_ATTEMPTS = 40;
/** How long a failed upload waits for its session to be cancelled, in milliseconds. */
const CANCEL_LIMIT = 5_000;

const ARRIVED = new Set(['Uploaded', 'Processing', 'Processed']);

/** A session, and what is needed to ask for it again. */
export interface Session {
  upload: Upload;
  /** Whether an earlier request with the same key created it. */
  isResumed: boolean;
}

/** Whether the object of the upload has arrived and is proven. */
export function hasArrived(upload: Upload): boolean {
  return ARRIVED.has(upload.status);
}

/**
 * Creates the session of a key, or returns the one that stands with fresh URLs. This needs no scope
 * to read uploads, which tokens for browsers lack.
 */
export async function openSession(
  connection: Connection,
  key: string,
  body: CreateUpload,
  signal: AbortSignal | undefined,
): Promise<Session> {
  const answer = await connection.api.POST('/uploads', {
    params: { header: { 'Idempotency-Key': key } },
    body,
    signal: signal ?? null,
  });
  const upload = dataOf(answer);
  if (upload.status !== 'Pending' && !hasArrived(upload)) {
    throw new SessionEndedError(upload);
  }
  return { upload, isResumed: answer.response.status === 200 };
}

/** Has the broker prove the object, with the claims of the client. */
export async function acknowledge(
  connection: Connection,
  id: string,
  claims: Acknowledge,
  signal: AbortSignal | undefined,
): Promise<Upload> {
  const patient = connection.withRetry({ attempts: ACKNOWLEDGE_ATTEMPTS });
  const answer = await patient.api.POST('/uploads/{id}/acknowledge', {
    params: { path: { id } },
    body: claims,
    signal: signal ?? null,
  });
  return dataOf(answer);
}

/** Ends a session that nothing will resume. If that fails, the broker ends it at its deadline. */
export async function cancelQuietly(connection: Connection, id: string): Promise<void> {
  const once = connection.withRetry({ attempts: 1 });
  const signal = AbortSignal.timeout(CANCEL_LIMIT);
  const cancelled = once.api.POST('/uploads/{id}/cancel', { params: { path: { id } }, signal });
  await cancelled.catch(() => undefined);
}

/** Requests the URLs of the parts from a number on: those of 100 parts, or of all that remain. */
export async function signPartsFrom(
  connection: Connection,
  id: string,
  from: number,
  signal: AbortSignal | undefined,
): Promise<Part[]> {
  return signParts(connection, id, { from }, signal);
}

/** Requests the URL of one part; `size` only if the session has no size. */
export async function signPart(
  connection: Connection,
  id: string,
  number: number,
  size: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Part> {
  const wanted = { parts: [{ part_number: number, size }] };
  const [part] = await signParts(connection, id, wanted, signal);
  if (!part) {
    throw new Error(`The broker signed no URL for part ${number}`);
  }
  return part;
}

type Wanted =
  | { from: number }
  | { parts: { part_number: number; size?: number | undefined }[] };

async function signParts(
  connection: Connection,
  id: string,
  body: Wanted,
  signal: AbortSignal | undefined,
): Promise<Part[]> {
  const answer = await connection.api.POST('/uploads/{id}/parts', {
    params: { path: { id } },
    body,
    signal: signal ?? null,
  });
  return dataOf(answer).parts;
}

/**
 * The parts that the store has, by number. Listing them needs the scope `uploads:read`: without it,
 * none are known, and all are sent again.
 */
export async function listUploadedParts(
  connection: Connection,
  id: string,
  signal: AbortSignal | undefined,
): Promise<Map<number, UploadedPart>> {
  try {
    const answer = await connection.api.GET('/uploads/{id}/parts', {
      params: { path: { id } },
      signal: signal ?? null,
    });
    return new Map(dataOf(answer).uploaded.map((part) => [part.part_number, part]));
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'insufficient-scope') {
      return new Map();
    }
    throw error;
  }
}
