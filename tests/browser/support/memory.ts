/**
 * The memory that the scripts of a page and of its workers hold.
 */
import type { CDPSession, Page } from 'playwright-core';

import { MIB } from './files.js';

/** An answer of `Runtime.getHeapUsage`. Array buffers are not in the heap, but in its backing storage. */
interface HeapUsage {
  usedSize: number;
  backingStorageSize?: number;
}

/** Reads the memory of a page and of its workers again and again, and remembers the largest sum. */
export class MemoryWatch {
  /** The largest sum, in MiB. */
  peak = 0;
  readonly #workers = new Set<string>();
  readonly #answers = new Map<number, (usage: HeapUsage) => void>();
  #messages = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(readonly session: CDPSession) {
    session.on('Target.attachedToTarget', ({ sessionId }) => this.#workers.add(sessionId));
    session.on('Target.detachedFromTarget', ({ sessionId }) => this.#workers.delete(sessionId));
    session.on('Target.receivedMessageFromTarget', ({ message }) => {
      const { id, result } = JSON.parse(message) as { id?: number; result?: HeapUsage };
      if (id !== undefined && result) {
        this.#answers.get(id)?.(result);
        this.#answers.delete(id);
      }
    });
  }

  static async start(page: Page): Promise<MemoryWatch> {
    const watch = new MemoryWatch(await page.context().newCDPSession(page));
    const options = { autoAttach: true, waitForDebuggerOnStart: false, flatten: false };
    await watch.session.send('Target.setAutoAttach', options);
    watch.#repeat();
    return watch;
  }

  /** Ends the watch, and returns the largest sum in MiB, and the number of workers. */
  stop(): { peak: number; workers: number } {
    clearTimeout(this.#timer);
    return { peak: this.peak, workers: this.#workers.size };
  }

  #repeat(): void {
    this.#measure().then(
      () => (this.#timer = setTimeout(() => this.#repeat(), 100)),
      // The page is closed.
      () => undefined,
    );
  }

  async #measure(): Promise<void> {
    const page = (await this.session.send('Runtime.getHeapUsage')) as HeapUsage;
    const workers = await Promise.all([...this.#workers].map((worker) => this.#usageOf(worker)));
    const sum = [page, ...workers].reduce(
      (bytes, { usedSize, backingStorageSize = 0 }) => bytes + usedSize + backingStorageSize,
      0,
    );
    this.peak = Math.max(this.peak, sum / MIB);
  }

  async #usageOf(sessionId: string): Promise<HeapUsage> {
    this.#messages += 1;
    const id = this.#messages;
    const answer = new Promise<HeapUsage>((resolve) => this.#answers.set(id, resolve));
    const message = JSON.stringify({ id, method: 'Runtime.getHeapUsage' });
    await this.session.send('Target.sendMessageToTarget', { sessionId, message });
    // A worker that ends does not answer.
    const none = new Promise<HeapUsage>((resolve) => setTimeout(() => resolve({ usedSize: 0 }), 1000));
    return Promise.race([answer, none]);
  }
}
