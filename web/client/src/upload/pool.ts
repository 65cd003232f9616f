/**
 * Runs a bounded number of tasks at a time.
 */

/** After the first failure, no task is started, and the signal of the running ones is aborted. */
export class Pool {
  readonly #running = new Set<Promise<void>>();
  readonly #controller = new AbortController();
  readonly #unlink: () => void;
  #failure: { error: unknown } | undefined;

  constructor(
    readonly limit: number,
    signal: AbortSignal | undefined,
  ) {
    const abort = () => this.fail(signal?.reason);
    if (signal?.aborted) {
      abort();
    }
    signal?.addEventListener('abort', abort);
    this.#unlink = () => signal?.removeEventListener('abort', abort);
  }

  /** Is aborted with the first failure. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits until a further task may be started. Rejects with the first failure. */
  async ready(): Promise<void> {
    while (this.#running.size >= this.limit && !this.#failure) {
      await Promise.race(this.#running);
    }
    this.#throwFailure();
  }

  /** Starts a task. */
  start(task: (signal: AbortSignal) => Promise<void>): void {
    const running = task(this.signal)
      .catch((error: unknown) => this.fail(error))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Aborts all tasks. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#controller.abort(this.#failure.error);
  }

  /** Waits for all tasks. Rejects with the first failure. */
  async finish(): Promise<void> {
    await Promise.all(this.#running);
    this.#unlink();
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure) {
      throw this.#failure.error;
    }
  }
}
