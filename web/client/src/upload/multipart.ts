/**
 * Uploads in parts.
 *
 * The checksum and the size of the whole are claimed in the acknowledge request. The broker
 * compares them before it makes the object of its parts.
 *
 * | Fault | What happens |
 * |---|---|
 * | A request for a part fails | only this part is sent again, with a new URL |
 * | The same key is used again after a stop | only the parts that the store lacks are sent |
 * | Parts are gone when the upload is acknowledged | they are sent again |
 * | The parts of an earlier attempt have other bytes | the broker notices, and all are sent again |
 */
import { BrokerError } from '../errors.js';
import type { Acknowledge, CreateUpload, Upload } from '../schema-types.js';
import { describeUpload, STREAM_PART_SIZE } from './options.js';
import { PartUrls } from './part-urls.js';
import { sendParts } from './parts.js';
import type { SentParts } from './parts.js';
import { acknowledge, hasArrived, listUploadedParts, openSession } from './session.js';
import { BlobReader } from './source.js';
import type { Content, Reader } from './source.js';
import { sendOrCancel } from './task.js';
import type { Task } from './task.js';

/** How often the parts are completed before the upload fails. */
const ROUNDS = 3;

/** Uploads a Blob in parts. */
export async function uploadBlobInParts(task: Task, blob: Blob): Promise<Upload> {
  const { connection, key, options, meter } = task;
  const { signal } = options;
  const body: CreateUpload = {
    ...describeUpload(options, blob.type),
    size: blob.size,
    multipart: true,
    part_size: options.partSize,
  };
  const { upload, isResumed } = await openSession(connection, key, body, signal);
  options.onSession?.(upload);
  if (hasArrived(upload)) {
    return upload;
  }
  const { id } = upload;
  const { part_size: partSize, parts } = planOf(upload);
  const urls = new PartUrls(connection, id, parts, false);
  let isListed = isResumed;
  for (let round = 1; ; round++) {
    const sent = await sendOrCancel(task, id, async () => {
      const uploaded = isListed ? await listUploadedParts(connection, id, signal) : new Map();
      return sendParts(task, { reader: new BlobReader(blob), partSize, urls, uploaded });
    });
    try {
      return await acknowledge(connection, id, claimsOf(task, sent), signal);
    } catch (error) {
      if (round === ROUNDS || !isRepairable(error)) {
        throw error;
      }
      isListed = error.code === 'parts-missing';
      meter.restart();
    }
  }
}

/** Uploads a stream in parts, of which the first has been read. */
export async function uploadStreamInParts(
  task: Task,
  reader: Reader,
  first: Content,
): Promise<Upload> {
  const { connection, key, options, meter } = task;
  const { signal } = options;
  const partSize = options.partSize ?? STREAM_PART_SIZE;
  const body: CreateUpload = {
    ...describeUpload(options, ''),
    multipart: true,
    part_size: partSize,
  };
  const { upload } = await openSession(connection, key, body, signal);
  options.onSession?.(upload);
  if (hasArrived(upload)) {
    await reader.cancel();
    return upload;
  }
  const urls = new PartUrls(connection, upload.id, [], true);
  const job = { reader, first, partSize, urls, uploaded: new Map() };
  const sent = await sendOrCancel(task, upload.id, () => sendParts(task, job));
  meter.ended(sent.size);
  return acknowledge(connection, upload.id, claimsOf(task, sent), signal);
}

function planOf(upload: Upload) {
  if (!upload.multipart) {
    throw new Error(`Upload ${upload.id} is not one in parts`);
  }
  return upload.multipart;
}

function claimsOf({ options }: Task, sent: SentParts): Acknowledge {
  const isComputed = options.checksum === undefined || options.checksum === true;
  return { size: sent.size, ...(isComputed && { checksum: sent.checksum }) };
}

/** Whether sending parts again may help. */
function isRepairable(error: unknown): error is BrokerError {
  if (!(error instanceof BrokerError)) {
    return false;
  }
  const { code, problem } = error;
  const isPending = problem.upload_status === 'Pending';
  return code === 'parts-missing' || (code === 'object-mismatch' && isPending);
}
