/**
 * Files that are sent in one request. Sessions are created and acknowledged in batches:
 *
 *     queue ─▶ prepare (hash, create sessions) ─▶ ready ─▶ send ─▶ arrived ─▶ prove
 *
 * | Fault | What happens |
 * |---|---|
 * | The answer of the store is lost | the bytes are sent again; 412, and the proof finds the object |
 * | The URL has expired, or is about to | the proof finds out whether the bytes arrived; otherwise a new session |
 * | Another dataset stands at the path | the user is asked |
 * | The page is closed | the memory of the page has the file; it is sent with a new session |
 */
import { BrokerError, checksumOf, randomKey, StoreError } from 'upload-broker-client';
import type { BatchResult, Checksum, CreateUpload } from 'upload-broker-client';

import type { Context } from './context.js';
import { Queue } from './queue.js';
import type { Row } from './row.js';

/** The largest batch: files and bytes. Its URLs have to last until all is sent. */
const BATCH_FILES = 100;
const BATCH_BYTES = 64 * 1024 * 1024;
/** A batch is prepared while fewer bytes than these wait to be sent. */
const READY_BYTES = 32 * 1024 * 1024;
/** How many files are sent at a time: browsers open six connections to a server. */
const LANES = 6;
/** Files are proven together: this many at once, or those that have arrived within this time, in milliseconds. */
const PROOF_FILES = 25;
const PROOF_DELAY = 150;
/** A URL that ends earlier than this, in milliseconds, is not used any more. */
const REMAINING = 30_000;

/** Sends small files. */
export class SmallFiles {
  readonly #queue = new Queue<Row>();
  readonly #ready = new Queue<Row>();
  readonly #arrived = new Queue<Row>();
  #readyBytes = 0;
  #isPreparing = false;
  #isProving = false;
  #isProofDue = false;
  #proofTimer: ReturnType<typeof setTimeout> | undefined;
  #sending = 0;

  constructor(readonly context: Context) {}

  /** Adds a row, at the front if it was there before. */
  add(row: Row, isNext = false): void {
    if (row.session && isUsable(row)) {
      this.#ready.push(row);
      this.#readyBytes += row.file.size;
    } else if (row.session) {
      // The bytes may have arrived in an earlier attempt.
      this.#arrived.push(row);
      this.context.ledger.setState(row, 'proving');
    } else if (isNext) {
      this.#queue.putBack(row);
    } else {
      this.#queue.push(row);
    }
  }

  /** Starts what can be started. */
  pump(): void {
    if (!this.context.mayStart) {
      return;
    }
    while (this.#sending < LANES && this.#ready.size > 0) {
      this.#sendNext();
    }
    if (!this.#isProving && this.#arrived.size > 0) {
      this.#proveSoon();
    }
    const isLow = this.#ready.size < BATCH_FILES && this.#readyBytes < READY_BYTES;
    if (!this.#isPreparing && isLow && this.#queue.size > 0) {
      void this.#prepare();
    }
  }

  /** Proves what has arrived, unless more is about to arrive. */
  #proveSoon(): void {
    const isLast = this.#sending === 0 && this.#ready.size === 0 && !this.#isPreparing;
    if (isLast || this.#isProofDue || this.#arrived.size >= PROOF_FILES) {
      clearTimeout(this.#proofTimer);
      this.#proofTimer = undefined;
      this.#isProofDue = false;
      void this.#prove();
    } else {
      this.#proofTimer ??= setTimeout(() => {
        this.#isProofDue = true;
        this.context.pump();
      }, PROOF_DELAY);
    }
  }

  #takeBatch(): Row[] {
    const rows: Row[] = [];
    let bytes = 0;
    for (let row = this.#queue.peek(); row && rows.length < BATCH_FILES; row = this.#queue.peek()) {
      const size = row.file.size;
      if (rows.length > 0 && bytes + size > BATCH_BYTES) {
        break;
      }
      this.#queue.take();
      // Rows that were paused or cancelled meanwhile stay in the queue until they are taken.
      if (row.state === 'waiting') {
        rows.push(row);
        bytes += size;
      }
    }
    return rows;
  }

  async #prepare(): Promise<void> {
    const { context } = this;
    this.#isPreparing = true;
    try {
      const rows = this.#takeBatch();
      rows.forEach((row) => context.ledger.setState(row, 'hashing'));
      const hashed = await Promise.all(rows.map((row) => this.#hash(row)));
      const known = rows.flatMap((row, index) => {
        const checksum = hashed[index];
        return checksum && row.state === 'hashing' ? [{ row, checksum }] : [];
      });
      if (known.length > 0) {
        await this.#createSessions(known);
      }
    } finally {
      this.#isPreparing = false;
      context.pump();
    }
  }

  async #hash(row: Row): Promise<Checksum | null> {
    try {
      return await checksumOf(row.file);
    } catch (error) {
      this.context.fail(row, error);
      return null;
    }
  }

  async #createSessions(known: { row: Row; checksum: Checksum }[]): Promise<void> {
    const { context } = this;
    const bodies = known.map(({ row, checksum }) => bodyOf(row, checksum));
    let results: BatchResult[];
    try {
      results = await context.client.createUploads(bodies, { idempotencyKey: randomKey() });
      context.network.succeeded();
    } catch (error) {
      // The last is put back first, so that the order stays.
      known.reverse().forEach(({ row }) => row.state === 'hashing' && context.fail(row, error));
      return;
    }
    known.forEach(({ row }, index) => this.#takeSession(row, results[index]!));
  }

  #takeSession(row: Row, result: BatchResult): void {
    const { context } = this;
    if (result instanceof BrokerError) {
      if (row.state === 'hashing') {
        context.fail(row, result);
      }
      return;
    }
    row.session = result;
    if (row.state === 'hashing') {
      context.ledger.setState(row, 'waiting');
      this.add(row);
    } else if (row.state !== 'paused') {
      context.endSession(row);
    }
  }

  #sendNext(): void {
    const row = this.#ready.take()!;
    this.#readyBytes -= row.file.size;
    if (row.state !== 'waiting') {
      return;
    }
    if (!isUsable(row)) {
      this.add(row, true);
      return;
    }
    this.#sending++;
    void this.#send(row).finally(() => {
      this.#sending--;
      this.context.pump();
    });
  }

  async #send(row: Row): Promise<void> {
    const { ledger, client, network } = this.context;
    const controller = new AbortController();
    const { signal } = controller;
    row.abort = controller;
    ledger.setState(row, 'sending');
    try {
      if (row.lastError !== null) {
        // A file that was changed cannot be read any more. A request would only fail.
        await row.file.slice(0, 1).arrayBuffer();
      }
      const onSent = (bytes: number) => ledger.setSent(row, Math.min(bytes, row.file.size));
      const outcome = await client.sendBytes(row.session!, row.file, { onSent, signal });
      if (signal.aborted) {
        return;
      }
      row.isOccupied = outcome === 'occupied';
      network.succeeded();
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      row.lastError = error;
      const isUrlRejected = error instanceof StoreError && error.status === 403 && error.transient;
      if (!isUrlRejected) {
        this.context.fail(row, error);
        return;
      }
    }
    ledger.setSent(row, row.file.size);
    ledger.setState(row, 'proving');
    this.#arrived.push(row);
  }

  async #prove(): Promise<void> {
    const { context } = this;
    const rows: Row[] = [];
    while (rows.length < BATCH_FILES && this.#arrived.size > 0) {
      rows.push(this.#arrived.take()!);
    }
    this.#isProving = true;
    try {
      const claims = rows.map((row) => ({ id: row.session!.id }));
      const results = await context.client.acknowledgeUploads(claims);
      context.network.succeeded();
      rows.forEach((row, index) => this.#takeProof(row, results[index]!));
    } catch (error) {
      if (context.holdFor(error)) {
        rows.forEach((row) => this.#arrived.push(row));
      } else {
        rows.forEach((row) => context.fail(row, error));
      }
    } finally {
      this.#isProving = false;
      context.pump();
    }
  }

  #takeProof(row: Row, result: BatchResult): void {
    const { context } = this;
    if (!(result instanceof BrokerError)) {
      context.finish(row, result);
    } else if (result.code === 'object-missing' && row.isOccupied) {
      context.endSession(row);
      context.ask(row);
    } else if (result.code === 'object-missing') {
      context.endSession(row);
      context.tryAgain(row, row.lastError ?? result);
    } else if (result.transient) {
      // It was not tried. Without a delay, the next request would get the same answer at once.
      context.holdFor(result);
      this.#arrived.push(row);
    } else {
      context.fail(row, result);
    }
  }
}

function bodyOf(row: Row, checksum: Checksum): CreateUpload {
  const { file, path, details, overwrite } = row;
  return {
    path,
    ...details,
    size: file.size,
    content_type: file.type || undefined,
    checksum,
    overwrite,
    multipart: false,
  };
}

/** Whether the URL of the session lasts long enough. */
function isUsable({ session }: Row): boolean {
  return session?.upload != null && Date.parse(session.upload.expires_at) - Date.now() > REMAINING;
}
