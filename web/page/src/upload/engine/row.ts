/**
 * A file in the engine.
 */
import type { Upload } from 'upload-broker-client';

import type { ErrorWords } from '../../words/errors.js';
import type { FileState, NewFile, Receipt } from './messages.js';

/** A file on its way. */
export interface Row extends NewFile {
  state: FileState;
  sentBytes: number;
  /** The run whose sums have the row: see `ledger.ts`. */
  run: number;
  /** Identifies the upload: in the memory of the page, and a large one for the broker, too. */
  key: string;
  /** Whether the memory of the page has it from before a reload. */
  isStored: boolean;
  overwrite: boolean;
  error: ErrorWords | null;
  receipt: Receipt | null;
  /** The session of the broker, if there is one that is not yet acknowledged. */
  session: Upload | null;
  /** Whether the store had an object at the path when the bytes were sent. */
  isOccupied: boolean;
  /** How often the row itself has failed for a while. */
  failures: number;
  /** The last failure; null if there was none. */
  lastError: unknown;
  /** The number that was last added to the name to keep both datasets. */
  copyNumber: number;
  /** The path before a number was added. */
  originalPath: string;
  /** Ends what runs for the row at the moment. */
  abort: AbortController | null;
}

/** A row for a file. */
export function rowOf(file: NewFile, key: string): Row {
  return {
    ...file,
    key: file.key ?? key,
    isStored: file.key !== undefined,
    overwrite: file.overwrite ?? false,
    state: 'waiting',
    sentBytes: 0,
    run: 0,
    error: null,
    receipt: null,
    session: null,
    isOccupied: false,
    failures: 0,
    lastError: null,
    copyNumber: 1,
    originalPath: file.path,
    abort: null,
  };
}

/** The receipt of an upload that is proven. */
export function receiptOf(upload: Upload): Receipt {
  const { object, verification } = upload;
  return {
    id: upload.id,
    path: upload.path,
    name: upload.name,
    size: object?.size ?? upload.size ?? 0,
    checksum: object?.checksum ? `${object.checksum.algorithm} ${object.checksum.value}` : null,
    versionId: object?.version_id ?? null,
    level: verification?.level ?? 'existence',
    at: verification?.at ?? upload.updated_at,
    s3Url: upload.s3_url,
  };
}
