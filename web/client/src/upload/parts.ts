/**
 * Sends the bytes of an upload in parts, several at a time. Each part is read once, in order, and
 * hashed while others are sent; it stays in memory until the store has it.
 */
import { Crc64 } from '../crc64.js';
import { retry } from '../http/retry.js';
import { untilAborted } from '../http/signals.js';
import type { Checksum, UploadedPart } from '../schema-types.js';
import { DEFAULT_PARALLEL } from './options.js';
import type { PartUrls } from './part-urls.js';
import { Pool } from './pool.js';
import { put } from './put.js';
import type { Bytes, Reader } from './source.js';
import type { Task } from './task.js';

/** What is sent, and where to. */
export interface PartsJob {
  reader: Reader;
  /** The first part, if it has been read already. */
  first?: Bytes;
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
      const bytes = isRead ? job.first! : await read(job, pool.signal);
      isLast = bytes.length < job.partSize;
      if (bytes.length === 0 && number > 1) {
        break;
      }
      crc.update(bytes);
      size += bytes.length;
      if (isSame(job.uploaded.get(number), bytes)) {
        task.meter.done(number, bytes.length);
      } else {
        pool.start((signal) => sendPart(task, job.urls, number, bytes, signal));
      }
    }
  } catch (error) {
    pool.fail(error);
    void job.reader.cancel().catch(() => undefined);
  }
  await pool.finish();
  return { size, checksum: crc.checksum() };
}

function read(job: PartsJob, signal: AbortSignal): Promise<Bytes> {
  return untilAborted(job.reader.read(job.partSize), signal);
}

/** Sends one part. Each attempt after a failure gets a new URL: the old one may have expired. */
async function sendPart(
  { connection, meter }: Task,
  urls: PartUrls,
  number: number,
  bytes: Bytes,
  signal: AbortSignal,
): Promise<void> {
  await retry(connection.retry, signal, async () => {
    const { url, headers } = await urls.get(number, bytes.length, signal);
    const onSent = (sent: number) => meter.sending(number, sent);
    try {
      await put(connection, { url, headers, body: bytes, onSent, signal });
    } catch (error) {
      urls.forget(number);
      meter.failed(number);
      throw error;
    }
  });
  meter.done(number, bytes.length);
}

/** Whether the store has these bytes, as far as it can be seen: not every store keeps checksums. */
function isSame(uploaded: UploadedPart | undefined, bytes: Bytes): boolean {
  if (uploaded?.size !== bytes.length) {
    return false;
  }
  const { checksum } = uploaded;
  return (
    checksum?.algorithm !== 'CRC64NVME' ||
    checksum.value === new Crc64().update(bytes).checksum().value
  );
}
