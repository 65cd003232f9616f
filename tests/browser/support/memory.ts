/**
 * The memory that the scripts of a page hold.
 */
import type { CDPSession, Page } from 'playwright-core';

import { MIB } from './files.js';

/** Reads the used heap of a page again and again, and remembers the largest size. */
export class HeapWatch {
  /** The largest heap, in MiB. */
  peak = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(readonly session: CDPSession) {}

  static async start(page: Page): Promise<HeapWatch> {
    const session = await page.context().newCDPSession(page);
    const watch = new HeapWatch(session);
    const measure = async () => {
      const { usedSize, backingStorageSize } = (await session.send('Runtime.getHeapUsage')) as {
        usedSize: number;
        backingStorageSize?: number;
      };
      watch.peak = Math.max(watch.peak, (usedSize + (backingStorageSize ?? 0)) / MIB);
      watch.#timer = setTimeout(() => measure().catch(() => undefined), 100);
    };
    await measure();
    return watch;
  }

  /** Ends the watch, and returns the largest heap in MiB. */
  stop(): number {
    clearTimeout(this.#timer);
    return Math.round(this.peak);
  }
}
