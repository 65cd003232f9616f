/**
 * The URLs of the parts of a session, requested shortly before they are used.
 */
import type { Connection } from '../http/connection.js';
import type { Part } from '../schema-types.js';
import { signPart, signPartsFrom } from './session.js';

/** A URL that ends earlier than this, in milliseconds, is replaced before it is used. */
const REMAINING = 60_000;

/** The URLs of the parts of one session. */
export class PartUrls {
  readonly #known = new Map<number, Part>();
  #batch: Promise<void> | undefined;

  constructor(
    readonly connection: Connection,
    readonly id: string,
    /** The parts that the session came with. */
    parts: Part[],
    /** Whether the session has no size, so that each part is requested with its own. */
    readonly isOpenEnded: boolean,
  ) {
    this.#add(parts);
  }

  /** The URL of a part. Parts that are requested at the same time share one request. */
  async get(number: number, size: number, signal: AbortSignal | undefined): Promise<Part> {
    if (this.isOpenEnded) {
      return signPart(this.connection, this.id, number, size, signal);
    }
    if (!this.#isKnown(number)) {
      this.#batch ??= signPartsFrom(this.connection, this.id, number, signal)
        .then((parts) => this.#add(parts))
        .finally(() => (this.#batch = undefined));
      await this.#batch;
    }
    const part = this.#known.get(number);
    return part ?? signPart(this.connection, this.id, number, undefined, signal);
  }

  /** The URL of this part failed: the next attempt gets a new one. */
  forget(number: number): void {
    this.#known.delete(number);
  }

  #add(parts: Part[]): void {
    for (const part of parts) {
      this.#known.set(part.part_number, part);
    }
  }

  #isKnown(number: number): boolean {
    const part = this.#known.get(number);
    return part !== undefined && Date.parse(part.expires_at) - Date.now() > REMAINING;
  }
}
