/**
 * Uploads bytes to a path, and has the broker prove that they arrived.
 */
import type { Connection } from '../http/connection.js';
import { untilAborted } from '../http/signals.js';
import type { Upload } from '../schema-types.js';
import { randomKey } from './keys.js';
import { uploadBlobInParts, uploadStreamInParts } from './multipart.js';
import { SINGLE_LIMIT, STREAM_PART_SIZE } from './options.js';
import type { UploadOptions } from './options.js';
import { ProgressMeter } from './progress.js';
import { uploadWhole } from './single.js';
import { openSource, sizeOf } from './source.js';
import type { Reader, UploadSource } from './source.js';
import type { Task } from './task.js';

/**
 * Uploads bytes, and acknowledges. Returns the receipt: `verification.level` is `checksum` unless
 * the store or the options prevent it.
 *
 * Rejects with a `ConflictError` if another dataset stands at the path, a `BrokerError` if the
 * broker refuses, a `StoreError` if the store does, an `UnavailableError` if one of them does not
 * answer, a `SessionEndedError` if the session of the key has ended, or the reason of the signal.
 */
export async function upload(
  connection: Connection,
  source: UploadSource,
  options: UploadOptions,
): Promise<Upload> {
  options.signal?.throwIfAborted();
  const opened = openSource(source);
  const size = opened instanceof Blob ? opened.size : null;
  const task: Task = {
    connection,
    options,
    key: options.idempotencyKey ?? randomKey(),
    meter: new ProgressMeter(options.onProgress, size),
  };
  return opened instanceof Blob ? uploadBlob(task, opened) : uploadStream(task, opened);
}

async function uploadBlob(task: Task, blob: Blob): Promise<Upload> {
  const { multipart, partSize } = task.options;
  const isLarge = blob.size > Math.min(partSize ?? SINGLE_LIMIT, SINGLE_LIMIT);
  return (multipart ?? isLarge) ? uploadBlobInParts(task, blob) : uploadWhole(task, blob);
}

/** A stream that ends within its first part is sent in one request. */
async function uploadStream(task: Task, reader: Reader): Promise<Upload> {
  const { partSize, signal } = task.options;
  const size = partSize ?? STREAM_PART_SIZE;
  try {
    const first = await untilAborted(reader.read(size), signal);
    if (sizeOf(first) === size) {
      return await uploadStreamInParts(task, reader, first);
    }
    task.meter.ended(sizeOf(first));
    return await uploadWhole(task, new Blob([first]));
  } catch (error) {
    void reader.cancel().catch(() => undefined);
    throw error;
  }
}
