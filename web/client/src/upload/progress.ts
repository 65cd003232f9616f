/**
 * Adds up the progress of the requests of one upload.
 */
import type { Progress } from './options.js';

/**
 * The progress of an upload. A request that fails takes its bytes back; the reported number waits
 * until it is exceeded again, so that it never decreases.
 */
export class ProgressMeter {
  readonly #inFlight = new Map<number, number>();
  #done = 0;
  #reported = -1;

  constructor(
    readonly report: ((progress: Progress) => void) | undefined,
    /** The size of the upload in bytes; null while it is not known. */
    public total: number | null,
  ) {
    this.#update();
  }

  /** A request has sent this many of its bytes. `request` is the number of its part. */
  sending(request: number, bytes: number): void {
    this.#inFlight.set(request, bytes);
    this.#update();
  }

  /** A request has failed: its bytes will be sent again. */
  failed(request: number): void {
    this.#inFlight.delete(request);
  }

  /** A request has ended, or was not necessary: the store has these bytes. */
  done(request: number, bytes: number): void {
    this.#inFlight.delete(request);
    this.#done += bytes;
    this.#update();
  }

  /** Everything will be sent again. */
  restart(): void {
    this.#inFlight.clear();
    this.#done = 0;
  }

  /** The end of the stream was read: its size is known. */
  ended(total: number): void {
    this.total = total;
    this.#reported = -1;
    this.#update();
  }

  #update(): void {
    let sent = this.#done;
    for (const bytes of this.#inFlight.values()) {
      sent += bytes;
    }
    if (sent > this.#reported) {
      this.#reported = sent;
      this.report?.({ sentBytes: sent, totalBytes: this.total });
    }
  }
}
