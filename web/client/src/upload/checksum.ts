/**
 * Checksums of bytes in memory and of Blobs.
 */
import { Crc64 } from '../crc64.js';
import type { Checksum } from '../schema-types.js';
import type { Content } from './source.js';

/** How many bytes of a Blob are read at a time. */
const STEP = 2 * 1024 * 1024;

/** The CRC64NVME of bytes. A Blob is read in small steps. */
export async function checksumOf(content: Content, signal?: AbortSignal): Promise<Checksum> {
  const crc = new Crc64();
  await hashInto(crc, content, signal);
  return crc.checksum();
}

/** Hashes bytes into a checksum. */
export async function hashInto(crc: Crc64, content: Content, signal?: AbortSignal): Promise<void> {
  if (!(content instanceof Blob)) {
    crc.update(content);
    return;
  }
  for (let offset = 0; offset < content.size; offset += STEP) {
    signal?.throwIfAborted();
    const bytes = await content.slice(offset, offset + STEP).arrayBuffer();
    crc.update(new Uint8Array(bytes));
    free(bytes);
  }
  signal?.throwIfAborted();
}

/**
 * Frees the memory of a buffer that is no longer needed, where the platform can do it. The garbage collector
 * comes late, because it does not count buffers: more than 100 MB of dead ones were seen.
 */
function free(buffer: ArrayBuffer & { transfer?: (length: number) => ArrayBuffer }): void {
  buffer.transfer?.(0);
}

/**
 * Rejects if a Blob cannot be read: a file that was changed or removed after it was chosen. A request that
 * sends it fails like one whose connection is cut.
 */
export async function assertReadable(content: Content): Promise<void> {
  if (content instanceof Blob) {
    await content.slice(0, 1).arrayBuffer();
  }
}
