/**
 * One row of a listing.
 */
import type { Entry } from 'upload-broker-client';

import { hrefOf } from '../route.js';
import { StatusBadge } from '../ui/StatusBadge.js';
import { formatBytes, formatTime } from '../words/numbers.js';
import { isFolder, keyOf, lastSegment } from './entries.js';

const REASON = 'This key is no valid path: no operation can reach it';

/** A folder, a dataset, or an object that has no path. */
export function EntryRow({ entry, isFlat, isSelected, onSelect }: {
  entry: Entry;
  isFlat: boolean;
  isSelected: boolean;
  onSelect: (path: string, isSelected: boolean, isRange: boolean) => void;
}) {
  const key = keyOf(entry);
  const label = isFlat ? key : lastSegment(key);
  if (entry.path == null) {
    return (
      <div class="entry odd">
        <span />
        <span class="name" title={REASON}>
          <code>{entry.key ?? entry.name}</code>
          <span class="hint">{REASON}</span>
        </span>
        <Attributes entry={entry} />
      </div>
    );
  }
  const { path } = entry;
  if (isFolder(entry)) {
    return (
      <div class="entry folder">
        <span class="pick" aria-hidden="true"><FolderIcon /></span>
        <a class="name" href={hrefOf('browse', path)}>{label}</a>
      </div>
    );
  }
  return (
    <div class="entry" data-selected={isSelected || undefined}>
      <label class="pick">
        <input
          type="checkbox"
          aria-label={`Select ${label}`}
          checked={isSelected}
          onClick={(event) => onSelect(path, event.currentTarget.checked, event.shiftKey)}
        />
      </label>
      <a class="name" href={hrefOf('dataset', path)} title={label}>{label}</a>
      <Attributes entry={entry} />
    </div>
  );
}

function Attributes({ entry }: { entry: Entry }) {
  if (isFolder(entry)) {
    return null;
  }
  return (
    <>
      <span class="marks">
        {entry.drifted && <StatusBadge status="Drifted" />}
        {entry.upload && <StatusBadge status={entry.upload.status} />}
      </span>
      <span class="size">{formatBytes(entry.size)}</span>
      <time class="date" dateTime={entry.last_modified}>{formatTime(entry.last_modified)}</time>
    </>
  );
}

function FolderIcon() {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="18" height="18">
      <path d="M1.5 3.5a1 1 0 0 1 1-1h3.6l1.5 1.7h5.9a1 1 0 0 1 1 1v7.3a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1z" />
    </svg>
  );
}
