/**
 * Waits for a condition outside the browser. Inside, Playwright waits.
 */
import { setTimeout as pause } from 'node:timers/promises';

/** Waits until a function returns a value. */
export async function until<T>(
  what: string,
  read: () => Promise<T | undefined | false> | T | undefined | false,
  limit = 60_000,
): Promise<T> {
  const end = Date.now() + limit;
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) {
      return value;
    }
    if (Date.now() > end) {
      throw new Error(`waited in vain: ${what}`);
    }
    await pause(20);
  }
}
