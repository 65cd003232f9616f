/**
 * Ends sessions that nothing will use, so that their parts and their quota are free at once. What
 * fails is ended by the broker at its deadline.
 */
import type { BrokerClient } from 'upload-broker-client';

/** How many are ended at a time. */
const LANES = 3;

/** Ends sessions in the background. */
export class Discards {
  readonly #ids: string[] = [];
  #running = 0;

  constructor(readonly client: () => BrokerClient) {}

  add(ids: string[]): void {
    this.#ids.push(...ids);
    while (this.#running < Math.min(LANES, this.#ids.length)) {
      this.#running++;
      void this.#run();
    }
  }

  async #run(): Promise<void> {
    for (let id = this.#ids.shift(); id !== undefined; id = this.#ids.shift()) {
      await this.client()
        .cancelUpload(id)
        .catch(() => undefined);
    }
    this.#running--;
  }
}
