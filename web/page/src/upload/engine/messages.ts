/**
 * The messages between the page and the engine, which sends the files in a worker.
 */
import type { ErrorWords } from '../../words/errors.js';

/**
 * Where a file is on its way.
 *
 *     waiting ─▶ hashing ─▶ sending ─▶ proving ─▶ done
 *        ├─▶ paused         └─▶ conflict ─▶ waiting | skipped
 *        └─▶ cancelled                └─▶ failed ─▶ waiting (retry)
 */
export type FileState =
  | 'waiting'
  | 'hashing'
  | 'sending'
  | 'proving'
  | 'paused'
  | 'conflict'
  | 'done'
  | 'failed'
  | 'skipped'
  | 'cancelled';

/** What the user says about the files, beyond their bytes. */
export interface Details {
  name?: string | undefined;
  comments?: string | undefined;
  metadata?: Record<string, string> | undefined;
}

/** A file to upload. */
export interface NewFile {
  /** The number of the row; unique in the page. */
  id: number;
  file: File;
  path: string;
  details: Details;
  /** With it, the file can be opened again after a reload. */
  handle?: FileSystemFileHandle | undefined;
  /** The key of an upload that was interrupted: only the parts that the store lacks are sent. */
  key?: string | undefined;
  /** The checksum of its first bytes, from before the interruption. */
  firstBytes?: string | undefined;
  overwrite?: boolean | undefined;
}

/** What the credential allows, as far as the engine checks it in advance. */
export interface Limits {
  tenant: string;
  maxSize: number | null;
  contentTypes: string[] | null;
}

/** Who sends, and where to. */
export interface Access {
  url: string;
  credential: string;
  limits: Limits;
}

/** What to do with a file whose path is taken. */
export type ConflictChoice = 'replace' | 'skip' | 'keep-both';

/** The rows that a command means. */
export type Target = number[] | 'all';

/** A message to the engine. */
export type Command =
  /** The first message; again after the user has signed in again. */
  | { kind: 'access'; access: Access; tab: string }
  | { kind: 'add'; files: NewFile[] }
  | { kind: 'pause' | 'resume' | 'cancel' | 'retry'; target: Target }
  /** Forgets the rows that have ended, other than failed ones. */
  | { kind: 'clear' }
  | { kind: 'answer'; id: number; choice: ConflictChoice; isForAll: boolean }
  /** Ends the sessions of interrupted uploads that the user does not want any more. */
  | { kind: 'discard'; uploadIds: string[] };

/** What is proven about a file that has arrived. */
export interface Receipt {
  id: string;
  path: string;
  name: string;
  size: number;
  checksum: string | null;
  versionId: string | null;
  level: string;
  at: string;
  s3Url: string;
}

/** What has changed in a row. */
export interface RowChange {
  id: number;
  state: FileState;
  sentBytes: number;
  path: string;
  /** Why it failed. */
  error: ErrorWords | null;
  receipt: Receipt | null;
}

/** The sums of all rows. */
export interface Totals {
  counts: Record<FileState, number>;
  totalBytes: number;
  sentBytes: number;
  /** Bytes per second. */
  rate: number;
  /** Null while it is not known. */
  secondsLeft: number | null;
  /** Why nothing can be sent at the moment; null if everything works. */
  networkError: string | null;
}

/** How a run ended, from the first open file to the last. */
export interface RunResult {
  done: number;
  failed: number;
  skipped: number;
  cancelled: number;
}

/** A file whose path is taken. */
export interface Question {
  id: number;
  path: string;
  /** How many other files wait for an answer. */
  others: number;
}

/** A message of the engine. */
export type Report =
  | { kind: 'changed'; rows: RowChange[]; totals: Totals }
  | { kind: 'question'; question: Question | null }
  /** The broker refuses the credential. Nothing is sent before there is another. */
  | { kind: 'credential-refused'; error: ErrorWords }
  | { kind: 'ended'; result: RunResult };

/** States in which work remains. */
export const OPEN_STATES: readonly FileState[] = [
  'waiting',
  'hashing',
  'sending',
  'proving',
  'paused',
  'conflict',
];

/** States in which a file can be paused or cancelled: its bytes are not all in the store. */
export const STOPPABLE_STATES: readonly FileState[] = ['waiting', 'hashing', 'sending'];

/** The number of files of some states. */
export function countOf(totals: Totals, states: readonly FileState[]): number {
  return states.reduce((sum, state) => sum + totals.counts[state], 0);
}
