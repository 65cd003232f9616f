/**
 * The checksum of the start of a file, by which it is recognized when it is chosen again.
 */
import { Crc64 } from 'upload-broker-client';

/** How many bytes are compared. */
const FIRST_BYTES = 1024 * 1024;

/** The checksum as hexadecimal digits. */
export async function firstBytesOf(file: Blob): Promise<string> {
  const bytes = await file.slice(0, FIRST_BYTES).arrayBuffer();
  return new Crc64().update(new Uint8Array(bytes)).hex();
}
