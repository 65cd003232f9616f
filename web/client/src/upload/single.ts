/**
 * Uploads in one request.
 *
 * The checksum is declared in advance: it is then a part of the signature, the store rejects other
 * bytes, and the proof has the level `checksum` even if the client never acknowledges.
 *
 * | Fault | What happens |
 * |---|---|
 * | The answer of the store is lost | the next attempt gets 412, and acknowledge finds the object |
 * | The URL has expired | the request with the same key returns a fresh one |
 * | Another dataset stands at the path | `ConflictError`, nothing is replaced |
 */
import { BrokerError, ConflictError } from '../errors.js';
import { isTransient, retry } from '../http/retry.js';
import type { CreateUpload, Upload } from '../schema-types.js';
import { assertReadable, checksumOf } from './checksum.js';
import { describeUpload } from './options.js';
import { isAlreadyThere, put } from './put.js';
import { acknowledge, hasArrived, openSession } from './session.js';
import { sendOrCancel } from './task.js';
import type { Task } from './task.js';

/** Uploads a Blob in one request. */
export async function uploadWhole(task: Task, blob: Blob): Promise<Upload> {
  const { connection, key, options } = task;
  const { signal } = options;
  const fields = describeUpload(options, blob.type);
  if (options.checksum === undefined || options.checksum === true) {
    fields.checksum = await checksumOf(blob, signal);
  }
  const body: CreateUpload = { ...fields, size: blob.size, multipart: false };
  const { upload } = await openSession(connection, key, body, signal);
  options.onSession?.(upload);
  if (hasArrived(upload)) {
    return upload;
  }
  const isOccupied = await sendOrCancel(task, upload.id, () => sendBlob(task, body, upload, blob));
  task.meter.done(0, blob.size);
  try {
    return await acknowledge(connection, upload.id, {}, signal);
  } catch (error) {
    if (isOccupied && error instanceof BrokerError && error.code === 'object-missing') {
      throw new ConflictError(error.status, error.problem);
    }
    throw error;
  }
}

/** Sends the bytes. Returns whether the store had an object at the path already. */
async function sendBlob(
  task: Task,
  body: CreateUpload,
  created: Upload,
  blob: Blob,
): Promise<boolean> {
  const { connection, key, meter } = task;
  const { signal } = task.options;
  let upload = created;
  return retry(connection.retry, signal, async () => {
    if (!upload.upload) {
      // It arrived in an earlier attempt, and the broker has noticed.
      return false;
    }
    const { url, headers } = upload.upload;
    const onSent = (bytes: number) => meter.sending(0, bytes);
    try {
      await put(connection, { url, headers, body: blob, onSent, signal });
      return false;
    } catch (error) {
      if (isAlreadyThere(error)) {
        return true;
      }
      meter.failed(0);
      await assertReadable(blob);
      if (isTransient(error)) {
        ({ upload } = await openSession(connection, key, body, signal));
      }
      throw error;
    }
  });
}
