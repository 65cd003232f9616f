/**
 * Files that are sent in parts, by the client. The key of a row stands for its upload at the
 * broker: after a failure, a pause or a reload, only the parts that the store lacks are sent.
 */
import { firstBytesOf } from '../memory/first-bytes.js';
import { withUploadLock } from '../memory/locks.js';
import type { Context } from './context.js';
import { Queue } from './queue.js';
import type { Row } from './row.js';

/** How many files are sent at a time. Those that are being proven are not counted. */
const FILES = 2;
/** How many parts of a file are sent at a time. */
const LANES = 4;

/** Sends large files. */
export class LargeFiles {
  readonly #queue = new Queue<Row>();
  readonly #sending = new Set<Row>();

  constructor(readonly context: Context) {}

  /** Adds a row, at the front if it was there before. */
  add(row: Row, isNext = false): void {
    if (isNext) {
      this.#queue.putBack(row);
    } else {
      this.#queue.push(row);
    }
  }

  /** Starts what can be started. */
  pump(): void {
    while (this.context.mayStart && this.#sending.size < FILES && this.#queue.size > 0) {
      const row = this.#queue.take()!;
      if (row.state === 'waiting') {
        this.#sending.add(row);
        void this.#run(row);
      }
    }
  }

  async #run(row: Row): Promise<void> {
    const { context } = this;
    const controller = new AbortController();
    row.abort = controller;
    context.ledger.setState(row, 'hashing');
    try {
      await withUploadLock(row.key, controller.signal, () => this.#send(row, controller.signal));
    } catch (error) {
      // The state of a row that was stopped is set where it was stopped.
      if (!controller.signal.aborted) {
        context.fail(row, error);
      }
    } finally {
      this.#sending.delete(row);
      context.pump();
    }
  }

  async #send(row: Row, signal: AbortSignal): Promise<void> {
    const { client, ledger, memory, network } = this.context;
    const { file, path, key, overwrite, details } = row;
    if (row.firstBytes === undefined) {
      row.firstBytes = await firstBytesOf(file);
      memory.remember([row]);
    }
    const upload = await client.upload(file, {
      path,
      ...definedOf(details),
      overwrite,
      idempotencyKey: key,
      parallel: LANES,
      signal,
      onSession: (session) => {
        row.session = session;
        if (!signal.aborted) {
          ledger.setState(row, 'sending');
        }
        memory.remember([row]);
        network.succeeded();
      },
      onProgress: ({ sentBytes }) => {
        // The store has the parts of an earlier attempt, which are counted again one by one.
        ledger.setSent(row, Math.max(sentBytes, row.sentBytes));
        if (sentBytes === file.size && !signal.aborted) {
          ledger.setState(row, 'proving');
          // The next file is sent while this one is proven.
          this.#sending.delete(row);
          this.context.pump();
        }
      },
    });
    network.succeeded();
    this.context.finish(row, upload);
  }
}

/** The details that are there. */
function definedOf({ name, comments, metadata }: Row['details']) {
  return {
    ...(name !== undefined && { name }),
    ...(comments !== undefined && { comments }),
    ...(metadata !== undefined && { metadata }),
  };
}
