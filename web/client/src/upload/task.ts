/**
 * What the steps of one upload share.
 */
import type { Connection } from '../http/connection.js';
import type { UploadOptions } from './options.js';
import type { ProgressMeter } from './progress.js';
import { cancelQuietly } from './session.js';

/** One call of `upload`. */
export interface Task {
  connection: Connection;
  options: UploadOptions;
  /** The key of the session: that of the caller, or a random one. */
  key: string;
  meter: ProgressMeter;
}

/**
 * Sends bytes. If that fails and no key of the caller can find the session again, cancels it: the
 * store then frees its parts at once.
 */
export async function sendOrCancel<T>(
  { connection, options }: Task,
  id: string,
  send: () => Promise<T>,
): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (options.idempotencyKey === undefined) {
      await cancelQuietly(connection, id);
    }
    throw error;
  }
}
