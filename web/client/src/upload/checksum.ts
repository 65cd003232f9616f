/**
 * The checksum of a Blob.
 */
import { Crc64 } from '../crc64.js';
import type { Checksum } from '../schema-types.js';
import { BlobReader } from './source.js';

/** How many bytes are hashed at a time. */
const STEP = 1024 * 1024;

/** The CRC64NVME of a Blob, which is read in small steps. */
export async function checksumOf(blob: Blob, signal?: AbortSignal): Promise<Checksum> {
  const reader = new BlobReader(blob);
  const crc = new Crc64();
  for (;;) {
    signal?.throwIfAborted();
    const bytes = await reader.read(STEP);
    if (bytes.length === 0) {
      return crc.checksum();
    }
    crc.update(bytes);
  }
}
