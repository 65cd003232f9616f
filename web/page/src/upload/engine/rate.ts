/**
 * The rate of a transfer, and the time that it still takes.
 */

/** The rate is the average of this time, in milliseconds. */
const WINDOW = 6_000;
/** No time left is shown before this time has been observed, in milliseconds. */
const FIRST_ESTIMATE = 1_500;

/** Measures how many bytes are sent per second. */
export class RateMeter {
  #samples: { at: number; bytes: number }[] = [];

  /** Records the number of bytes that were sent so far. It may decrease if bytes are sent again. */
  record(bytes: number, at: number): void {
    const last = this.#samples.at(-1);
    if (last && bytes < last.bytes) {
      const lost = last.bytes - bytes;
      this.#samples = this.#samples.map((sample) => ({ ...sample, bytes: sample.bytes - lost }));
    }
    this.#samples.push({ at, bytes });
    // One sample from before the window is kept: it is the start of the first interval.
    while (this.#samples.length > 2 && at - this.#samples[1]!.at >= WINDOW) {
      this.#samples.shift();
    }
  }

  /** Bytes per second. */
  rate(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at <= first.at) {
      return 0;
    }
    return ((last.bytes - first.bytes) / (last.at - first.at)) * 1000;
  }

  /** The seconds until `bytes` more are sent; null while they cannot be estimated. */
  secondsFor(bytes: number): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const rate = this.rate();
    if (!first || !last || last.at - first.at < FIRST_ESTIMATE || rate <= 0) {
      return null;
    }
    return bytes / rate;
  }

  /** Forgets everything: a new transfer begins. */
  reset(): void {
    this.#samples = [];
  }
}

/** Notices that nothing is sent although something should be. */
export class StallWatch {
  #bytes = 0;
  #since: number | null = null;
  #isStalled = false;

  constructor(readonly limit: number) {}

  /** Whether nothing has been sent for longer than the limit. */
  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** Records the bytes that were sent so far, and whether something is being sent. */
  record(bytes: number, isSending: boolean, at: number): void {
    if (!isSending) {
      this.#since = null;
    } else if (this.#since === null || bytes !== this.#bytes) {
      this.#since = at;
    }
    this.#bytes = bytes;
    this.#isStalled = this.#since !== null && at - this.#since > this.limit;
  }
}
