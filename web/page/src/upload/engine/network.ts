/**
 * Whether the broker and the store can be reached. While they cannot, nothing new is started; after
 * a growing delay, or when the browser is online again, it is tried again, without an end.
 */
import { describeError } from '../../words/errors.js';

/** The first and the longest delay before the next attempt, in milliseconds. */
const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 15_000;

/** What the rest of the engine does about it. */
export interface NetworkListener {
  /** Nothing can be sent, for this reason; null once a request has succeeded. */
  onError(reason: string | null): void;
  /** A delay has ended: requests can be started. */
  onTry(): void;
}

/** The state of the network, as the failures show it. */
export class Network {
  #delay = FIRST_DELAY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly listener: NetworkListener) {}

  /** Whether nothing may be started at the moment. */
  get isDown(): boolean {
    return this.#timer !== undefined;
  }

  /** A request has failed. Several failures at the same time count once. */
  failed(error: unknown): void {
    if (this.isDown) {
      return;
    }
    const delay = this.#delay * (0.75 + Math.random() / 2);
    this.#timer = setTimeout(() => this.tryAgain(), delay);
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
    this.listener.onError(describeError(error).title);
  }

  /** A request was answered. */
  succeeded(): void {
    this.#delay = FIRST_DELAY;
    this.listener.onError(null);
  }

  /** Ends the delay. */
  tryAgain(): void {
    if (this.isDown) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.listener.onTry();
    }
  }
}
