/**
 * The engine: holds the files, decides what is sent next, and what becomes of failures. It runs in
 * a worker, so that reading and hashing never delay the page.
 *
 * | Fault | What happens |
 * |---|---|
 * | Nothing answers | everything waits, and is tried again without an end (`network.ts`) |
 * | The credential is refused | everything waits for another one; the files stay |
 * | A file fails for a while | it is tried again, at most five times |
 * | A file fails for good | it ends with the reason; the others go on |
 */
import { randomKey, SINGLE_LIMIT } from 'upload-broker-client';
import type { BrokerClient, Upload } from 'upload-broker-client';

import { describeError } from '../../words/errors.js';
import type { Memory } from '../memory/memory.js';
import { BrokerAccess } from './access.js';
import { Conflicts } from './conflicts.js';
import type { Context } from './context.js';
import { Discards } from './discards.js';
import { kindOfFailure } from './failure.js';
import { LargeFiles } from './large.js';
import { Ledger } from './ledger.js';
import { refusalOf } from './limits.js';
import { STOPPABLE_STATES } from './messages.js';
import type { Command, ConflictChoice, FileState, NewFile, Report, Target } from './messages.js';
import { numberedPath } from './names.js';
import { Network } from './network.js';
import { receiptOf, rowOf } from './row.js';
import type { Row } from './row.js';
import { SmallFiles } from './small.js';
import { describeFileError } from './words.js';

/** How often a file is tried again that fails for a while. */
const MAX_FAILURES = 5;
/** The delay before that, in milliseconds; it is multiplied by the number of failures. */
const FAILURE_DELAY = 1_000;

/** Uploads files. */
export class Engine implements Context {
  readonly ledger: Ledger;
  readonly network: Network;
  readonly #small = new SmallFiles(this);
  readonly #large = new LargeFiles(this);
  readonly #conflicts: Conflicts;
  readonly #discards = new Discards(() => this.client);
  readonly #access = new BrokerAccess();
  /** Whether everything was paused: files that are added then are paused, too. */
  #isPaused = false;

  constructor(
    readonly memory: Memory,
    readonly post: (report: Report) => void,
  ) {
    this.ledger = new Ledger(post, (row) => this.#ended(row));
    this.network = new Network({
      onError: (reason) => this.ledger.setNetworkError(reason),
      onTry: () => this.pump(),
    });
    this.#conflicts = new Conflicts(
      (question) => post({ kind: 'question', question }),
      (row, choice) => this.#resolve(row, choice),
    );
  }

  get client(): BrokerClient {
    return this.#access.client;
  }

  get mayStart(): boolean {
    return this.#access.isAccepted && !this.network.isDown;
  }

  /** Obeys the page. */
  obey(command: Command): void {
    switch (command.kind) {
      case 'access':
        this.#access.open(command.access);
        this.memory.open(command.access.limits.tenant, command.tab);
        break;
      case 'add':
        this.#add(command.files);
        break;
      case 'pause':
        this.#isPaused ||= command.target === 'all';
        this.#stop(command.target, STOPPABLE_STATES, 'paused');
        break;
      case 'cancel':
        this.#stop(command.target, [...STOPPABLE_STATES, 'paused', 'conflict'], 'cancelled');
        break;
      case 'resume':
        this.#isPaused &&= command.target !== 'all';
        this.#resume(command.target);
        break;
      case 'retry':
        this.#retry(command.target);
        break;
      case 'clear':
        this.ledger.remove(this.ledger.select('all', ['done', 'skipped', 'cancelled']));
        break;
      case 'answer':
        this.#conflicts.answer(command.id, command.choice, command.isForAll);
        break;
      case 'discard':
        this.#discards.add(command.uploadIds);
        break;
    }
    this.pump();
  }

  pump(): void {
    this.#small.pump();
    this.#large.pump();
  }

  fail(row: Row, error: unknown): void {
    row.lastError = error;
    switch (kindOfFailure(error)) {
      case 'conflict':
        row.session = null;
        this.ask(row);
        break;
      case 'credential':
      case 'network':
        this.holdFor(error);
        this.#wait(row);
        break;
      case 'session':
        row.session = null;
        this.#renewKey(row);
        this.tryAgain(row, error);
        break;
      case 'again':
        this.tryAgain(row, error);
        break;
      case 'final':
        this.ledger.setState(row, 'failed', describeFileError(error));
        break;
    }
  }

  tryAgain(row: Row, error: unknown): void {
    row.failures++;
    if (row.failures > MAX_FAILURES) {
      this.ledger.setState(row, 'failed', describeFileError(error));
      return;
    }
    this.ledger.setSent(row, 0);
    this.ledger.setState(row, 'waiting');
    setTimeout(() => this.#enqueue(row, true), FAILURE_DELAY * (row.failures - 1));
  }

  holdFor(error: unknown): boolean {
    const kind = kindOfFailure(error);
    if (kind === 'credential') {
      this.#refuse(error);
    } else if (kind === 'network') {
      this.network.failed(error);
    }
    return kind === 'credential' || kind === 'network';
  }

  ask(row: Row): void {
    this.ledger.setSent(row, 0);
    this.ledger.setState(row, 'conflict');
    this.#conflicts.add(row);
  }

  finish(row: Row, upload: Upload): void {
    row.session = null;
    row.receipt = receiptOf(upload);
    this.ledger.setState(row, 'done');
  }

  endSession(row: Row): void {
    if (row.session) {
      this.#discards.add([row.session.id]);
      row.session = null;
    }
  }

  #add(files: NewFile[]): void {
    const { limits } = this.#access;
    const accepted: Row[] = [];
    for (const file of files) {
      const row = rowOf(file, randomKey());
      this.ledger.add(row);
      const refusal = limits && refusalOf(row.file, limits);
      if (refusal) {
        this.ledger.setState(row, 'failed', refusal);
      } else {
        accepted.push(row);
        if (this.#isPaused) {
          this.ledger.setState(row, 'paused');
        } else {
          this.#enqueue(row);
        }
      }
    }
    this.memory.remember(accepted);
  }

  #enqueue(row: Row, isNext = false): void {
    if (row.state === 'waiting') {
      this.#laneOf(row).add(row, isNext);
      this.pump();
    }
  }

  #laneOf(row: Row): SmallFiles | LargeFiles {
    return row.file.size > SINGLE_LIMIT ? this.#large : this.#small;
  }

  /** Puts a row back until everything can go on. Bytes that the store has are found then. */
  #wait(row: Row): void {
    this.ledger.setState(row, 'waiting');
    this.#laneOf(row).add(row, true);
  }

  #stop(target: Target, states: readonly FileState[], state: 'paused' | 'cancelled'): void {
    const rows = this.ledger.select(target, states);
    for (const row of rows) {
      const { abort } = row;
      this.ledger.setState(row, state);
      abort?.abort(new Error(`The upload was ${state}`));
      if (state === 'cancelled') {
        this.endSession(row);
      }
    }
    this.#conflicts.remove(rows);
  }

  #resume(target: Target): void {
    for (const row of this.ledger.select(target, ['paused'])) {
      this.ledger.setState(row, 'waiting');
      this.#enqueue(row);
    }
  }

  #retry(target: Target): void {
    for (const row of this.ledger.select(target, ['failed', 'cancelled', 'skipped'])) {
      if (target !== 'all' || row.state === 'failed') {
        this.#restart(row);
      }
    }
  }

  /** Starts a row from its beginning, with a new session. */
  #restart(row: Row): void {
    row.session = null;
    row.isOccupied = false;
    row.failures = 0;
    row.lastError = null;
    this.#renewKey(row);
    this.ledger.setSent(row, 0);
    this.ledger.setState(row, 'waiting');
    this.#enqueue(row, true);
  }

  #renewKey(row: Row): void {
    this.memory.forget(row.key);
    row.key = randomKey();
    this.memory.remember([row]);
  }

  #resolve(row: Row, choice: ConflictChoice): void {
    if (choice === 'skip') {
      this.ledger.setState(row, 'skipped');
      return;
    }
    if (choice === 'replace') {
      row.overwrite = true;
    } else {
      row.copyNumber++;
      row.path = numberedPath(row.originalPath, row.copyNumber);
    }
    this.#restart(row);
  }

  /** Stops everything until the user has signed in again. */
  #refuse(error: unknown): void {
    if (!this.#access.refuse()) {
      return;
    }
    for (const row of this.ledger.select('all', ['hashing', 'sending'])) {
      const { abort } = row;
      this.#wait(row);
      abort?.abort(error);
    }
    this.post({ kind: 'credential-refused', error: describeError(error) });
  }

  #ended(row: Row): void {
    this.memory.forget(row.key);
    if (this.ledger.open === 0) {
      this.#conflicts.forgetChoice();
      this.#isPaused = false;
    }
  }
}
