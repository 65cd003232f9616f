/**
 * Sends the bytes of an upload in parts, several at a time, and hashes them in order meanwhile.
 *
 * A part of a stream is in memory until the store has it. A part of a Blob is read twice, by the request
 * and for the checksum. If its bytes change in between, the broker finds that the checksum is another.
 */
import { Crc64 } from '../crc64.js';
import { retry } from '../http/retry.js';
import { untilAborted } from '../http/signals.js';
import type { Checksum, UploadedPart } from '../schema-types.js';
import { hashInto, assertReadable, checksumOf } from './checksum.js';
import { DEFAULT_PARALLEL } from './options.js';
import type { PartUrls } from './part-urls.js';
import { Pool } from './pool.js';
import { put } from './put.js';
import { sizeOf } from './source.js';
import type { Content, Reader } from './source.js';
import type { Task } from './task.js';

/** What is sent, and where to. */
export interface PartsJob {
  reader: Reader;
  /** The first part, if it has been read already. */
  first?: Content;
  partSize: number;
  urls: PartUrls;
  /** The parts that the store has. */
  uploaded: Map<number, UploadedPart>;
}

/** What was read. */
export interface SentParts {
  size: number;
  checksum: Checksum;
}

/** Sends all parts that the store lacks. */
export async function sendParts(task: Task, job: PartsJob): Promise<SentParts> {
  const { parallel = DEFAULT_PARALLEL, signal } = task.options;
  const pool = new Pool(Math.max(parallel, 1), signal);
  const crc = new Crc64();
  let size = 0;
  try {
    for (let number = 1, isLast = false; !isLast; number++) {
      await pool.ready();
      const isRead = number === 1 && job.first !== undefined;
      const content = isRead ? job.first! : await read(job, pool.signal);
      const length = sizeOf(content);
      isLast = length < job.partSize;
      if (length === 0 && number > 1) {
        break;
      }
      size += length;
      if (await isSame(job.uploaded.get(number), content)) {
        task.meter.done(number, length);
      } else {
        pool.start((signal) => sendPart(task, job.urls, number, content, signal));
      }
      await hashInto(crc, content, pool.signal);
    }
  } catch (error) {
    pool.fail(error);
    void job.reader.cancel().catch(() => undefined);
  }
  await pool.finish();
  return { size, checksum: crc.checksum() };
}

function read(job: PartsJob, signal: AbortSignal): Promise<Content> {
  return untilAborted(job.reader.read(job.partSize), signal);
}

/** Sends one part. Each attempt after a failure gets a new URL: the old one may have expired. */
async function sendPart(
  { connection, meter }: Task,
  urls: PartUrls,
  number: number,
  content: Content,
  signal: AbortSignal,
): Promise<void> {
  const size = sizeOf(content);
  await retry(connection.retry, signal, async () => {
    const { url, headers } = await urls.get(number, size, signal);
    const onSent = (sent: number) => meter.sending(number, sent);
    try {
      await put(connection, { url, headers, body: content, onSent, signal });
    } catch (error) {
      urls.forget(number);
      meter.failed(number);
      await assertReadable(content);
      throw error;
    }
  });
  meter.done(number, size);
}

/** Whether the store has these bytes, as far as it can be seen: not every store keeps checksums. */
async function isSame(uploaded: UploadedPart | undefined, content: Content): Promise<boolean> {
  if (uploaded?.size !== sizeOf(content)) {
    return false;
  }
  const { checksum } = uploaded;
  return (
    checksum?.algorithm !== 'CRC64NVME' || checksum.value === (await checksumOf(content)).value
  );
}
