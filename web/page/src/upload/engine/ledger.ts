/**
 * The rows of the engine with their sums, and the reports to the page: at most five a second, with
 * the rows that have changed.
 *
 * A run begins with the first open row and ends with the last. The sums of bytes are those of the
 * current run, so that the progress of a new run begins at zero.
 */
import type { ErrorWords } from '../../words/errors.js';
import { OPEN_STATES } from './messages.js';
import type { FileState, Report, RowChange, RunResult, Target, Totals } from './messages.js';
import { RateMeter, StallWatch } from './rate.js';
import type { Row } from './row.js';

/** The time between two reports in milliseconds. */
const REPORT_INTERVAL = 200;
/** The time between two reports while nothing changes: the rate decreases. */
const IDLE_INTERVAL = 1_000;

/** If no byte is sent for this time, in milliseconds, the network seems to be gone. */
const STALL = 5_000;
const STALLED = 'Nothing could be sent for a while';

/** The states in which something runs for a row. */
const ACTIVE: readonly FileState[] = ['hashing', 'sending', 'proving'];

/** Holds the rows. Every change of a row goes through this class. */
export class Ledger {
  readonly #rows = new Map<number, Row>();
  readonly #changed = new Set<Row>();
  readonly #counts = emptyCounts();
  readonly #meter = new RateMeter();
  #totalBytes = 0;
  #sentBytes = 0;
  #run = emptyRun();
  #runNumber = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reportAt = 0;
  #networkError: string | null = null;
  #stall = new StallWatch(STALL);

  constructor(
    readonly post: (report: Report) => void,
    /** Is called when a row has ended. */
    readonly onEnd: (row: Row) => void,
  ) {}

  get open(): number {
    return OPEN_STATES.reduce((sum, state) => sum + this.#counts[state], 0);
  }

  add(row: Row): void {
    this.#rows.set(row.id, row);
    this.#counts[row.state]++;
    this.#join(row);
    this.#touch(row);
  }

  get(id: number): Row | undefined {
    return this.#rows.get(id);
  }

  /** The rows of a target that are in one of the states. */
  select(target: Target, states: readonly FileState[]): Row[] {
    const rows = target === 'all' ? [...this.#rows.values()] : target.map((id) => this.#rows.get(id));
    return rows.filter((row): row is Row => row !== undefined && states.includes(row.state));
  }

  /** Changes the state of a row. `error` is why it failed. */
  setState(row: Row, state: FileState, error: ErrorWords | null = null): void {
    if (!this.#rows.has(row.id) || (row.state === state && !error)) {
      return;
    }
    const wasOpen = OPEN_STATES.includes(row.state);
    this.#counts[row.state]--;
    this.#counts[state]++;
    row.state = state;
    row.error = error;
    this.#touch(row);
    const isOpen = OPEN_STATES.includes(state);
    if (wasOpen && !isOpen) {
      this.#end(row, state);
    } else if (!wasOpen && isOpen) {
      this.#join(row);
    }
  }

  setSent(row: Row, bytes: number): void {
    this.#sentBytes += bytes - row.sentBytes;
    row.sentBytes = bytes;
    this.#touch(row);
  }

  /** Marks a change of a field that has no setter here. */
  touch(row: Row): void {
    this.#touch(row);
  }

  setNetworkError(error: string | null): void {
    if (this.#networkError !== error) {
      this.#networkError = error;
      this.#schedule();
    }
  }

  /** Forgets rows that have ended. */
  remove(rows: Row[]): void {
    for (const row of rows) {
      this.#rows.delete(row.id);
      this.#changed.delete(row);
      this.#counts[row.state]--;
      if (row.run === this.#runNumber && row.state === 'done') {
        this.#totalBytes -= row.file.size;
        this.#sentBytes -= row.sentBytes;
      }
    }
    this.#meter.reset();
    this.#schedule();
  }

  #end(row: Row, state: FileState): void {
    row.abort = null;
    if (state === 'done') {
      this.setSent(row, row.file.size);
      this.#run.done++;
    } else {
      this.#totalBytes -= row.file.size;
      this.#sentBytes -= row.sentBytes;
      row.sentBytes = 0;
      this.#run[state as 'failed' | 'skipped' | 'cancelled']++;
    }
    this.onEnd(row);
  }

  /** Adds an open row to the sums. The first one begins a run. */
  #join(row: Row): void {
    if (this.open === 1) {
      this.#runNumber++;
      this.#run = emptyRun();
      this.#totalBytes = 0;
      this.#sentBytes = 0;
      this.#meter.reset();
    }
    row.run = this.#runNumber;
    row.sentBytes = 0;
    this.#totalBytes += row.file.size;
  }

  #touch(row: Row): void {
    this.#changed.add(row);
    this.#schedule();
  }

  #schedule(delay = REPORT_INTERVAL): void {
    // A change does not wait for the next report of a queue in which nothing changes.
    const at = Date.now() + delay;
    if (this.#timer === undefined || at < this.#reportAt) {
      clearTimeout(this.#timer);
      this.#reportAt = at;
      this.#timer = setTimeout(() => this.#report(), delay);
    }
  }

  #report(): void {
    this.#timer = undefined;
    const now = Date.now();
    this.#meter.record(this.#sentBytes, now);
    this.#stall.record(this.#sentBytes, this.#counts.sending > 0, now);
    const rows = [...this.#changed].map(changeOf);
    this.#changed.clear();
    this.post({ kind: 'changed', rows, totals: this.#totals() });
    if (this.open === 0 && sumOf(this.#run) > 0) {
      this.post({ kind: 'ended', result: this.#run });
      this.#run = emptyRun();
    }
    if (ACTIVE.some((state) => this.#counts[state] > 0)) {
      this.#schedule(IDLE_INTERVAL);
    }
  }

  #totals(): Totals {
    const isActive = ACTIVE.some((state) => this.#counts[state] > 0);
    return {
      counts: { ...this.#counts },
      totalBytes: this.#totalBytes,
      sentBytes: this.#sentBytes,
      rate: isActive ? this.#meter.rate() : 0,
      secondsLeft: isActive ? this.#meter.secondsFor(this.#totalBytes - this.#sentBytes) : null,
      networkError: this.#networkError ?? (this.#stall.isStalled ? STALLED : null),
    };
  }
}

function changeOf({ id, state, sentBytes, path, error, receipt }: Row): RowChange {
  return { id, state, sentBytes, path, error, receipt };
}

function sumOf(run: RunResult): number {
  return run.done + run.failed + run.skipped + run.cancelled;
}

function emptyRun(): RunResult {
  return { done: 0, failed: 0, skipped: 0, cancelled: 0 };
}

/** No files in any state. */
export function emptyCounts(): Record<FileState, number> {
  return {
    waiting: 0,
    hashing: 0,
    sending: 0,
    proving: 0,
    paused: 0,
    conflict: 0,
    done: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
  };
}
