/**
 * Applies live events to a listing.
 */
import type { Entry, UploadEvent } from 'upload-broker-client';

import { compareKeys, isFolder, keyOf } from './entries.js';
import type { DatasetEntry } from './entries.js';

/** What a listing shows. */
export interface ListedRange {
  /** The folder, or the beginning of all paths. */
  prefix: string;
  /** Whether paths are listed whole, instead of by folder. */
  isFlat: boolean;
  /** Whether the last page is there. What comes after the last row is otherwise on a later page. */
  isComplete: boolean;
}

/** The rows after the events, in the order of the store. */
export interface AppliedEvents {
  rows: Entry[];
  /** Whether the events do not say what stands in the store now, so that it has to be read again. */
  isStale: boolean;
}

/** Applies events to rows, which are in the order of the store. The given rows stay as they are. */
export function applyEvents(
  rows: Entry[],
  events: UploadEvent[],
  range: ListedRange,
): AppliedEvents {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  const end = range.isComplete ? undefined : rows.length > 0 ? keyOf(rows[rows.length - 1]!) : '';
  let isStale = false;
  let isChanged = false;
  for (const event of events) {
    const path = String(event.data.path);
    const key = path.startsWith(range.prefix) ? listedKey(path, range) : undefined;
    if (key === undefined || (end !== undefined && compareKeys(key, end) > 0)) {
      continue;
    }
    const outcome = key.endsWith('/') ? inFolder(byKey.has(key), event) : onDataset(byKey.get(key), event);
    isStale ||= outcome === 'stale';
    if (outcome === 'folder') {
      byKey.set(key, { kind: 'folder', name: key.slice(0, -1).split('/').pop() ?? '', path: key });
      isChanged = true;
    } else if (outcome === 'removed') {
      isChanged = byKey.delete(key) || isChanged;
    } else if (typeof outcome === 'object') {
      byKey.set(key, outcome);
      isChanged = true;
    }
  }
  if (!isChanged) {
    return { rows, isStale };
  }
  const changed = [...byKey.values()].sort((a, b) => compareKeys(keyOf(a), keyOf(b)));
  return { rows: changed, isStale };
}

/** The key of the row that shows the path: its own, or that of the folder it is in. */
function listedKey(path: string, { prefix, isFlat }: ListedRange): string {
  const slash = isFlat ? -1 : path.indexOf('/', prefix.length);
  return slash === -1 ? path : path.slice(0, slash + 1);
}

type Outcome = Entry | 'folder' | 'removed' | 'stale' | 'same';

function inFolder(isListed: boolean, event: UploadEvent): Outcome {
  if (event.type === 'dataset.uploaded' || event.type === 'dataset.restored') {
    return isListed ? 'same' : 'folder';
  }
  // The folder is gone if this was its last dataset.
  return event.type === 'dataset.deleted' && isListed ? 'stale' : 'same';
}

function onDataset(row: Entry | undefined, event: UploadEvent): Outcome {
  if (event.type === 'dataset.uploaded') {
    return uploadedRow(event);
  }
  if (!row || isFolder(row)) {
    return event.type === 'dataset.restored' ? 'stale' : 'same';
  }
  if (row.upload && row.upload.id !== event.upload_id) {
    return 'same';
  }
  switch (event.type) {
    case 'dataset.deleted':
      // The object of another program may have stayed.
      return row.drifted ? 'stale' : 'removed';
    case 'dataset.drifted':
      return event.data.drift === 'missing' ? 'removed' : 'stale';
    case 'dataset.restored':
      return 'stale';
    default:
      return row.upload ? { ...row, upload: { ...row.upload, status: statusOf(event) } } : 'same';
  }
}

type Ref = NonNullable<DatasetEntry['upload']>;

function uploadedRow({ upload_id: id, time, data }: UploadEvent): Outcome {
  const { path, name, size, etag, verification } = data as Partial<DatasetEntry> & Partial<Ref>;
  if (typeof path !== 'string' || typeof size !== 'number') {
    return 'stale';
  }
  const upload: Ref = { id, status: 'Uploaded', verification: verification ?? null };
  return { name: name ?? path, path, size, etag: etag ?? '', last_modified: time, upload };
}

function statusOf({ data }: UploadEvent): Ref['status'] {
  return data.status as Ref['status'];
}
