/**
 * Idempotency keys.
 */
import { Crc64 } from '../crc64.js';

/**
 * A random key. `randomUUID` only exists in secure contexts: pages on plain http, except those of
 * localhost, lack it.
 */
export function randomKey(): string {
  const { crypto } = globalThis;
  if (typeof crypto?.randomUUID === 'function') {
    return crypto.randomUUID();
  }
  const bytes = new Uint8Array(16);
  crypto.getRandomValues(bytes);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * A key for the upload of a file to a path: the same for the same path, name, size and time of the
 * last change. With it, a page that was reloaded resumes the upload when the user selects the file
 * again.
 */
export function resumeKey(file: File, path: string): string {
  const parts = [path, file.name, file.size, file.lastModified];
  const text = new TextEncoder().encode(JSON.stringify(parts));
  return `file-${new Crc64().update(text).hex()}`;
}
