/**
 * Which entries can be selected, and ranges of them.
 */
import type { Entry } from 'upload-broker-client';

import { isFolder } from './entries.js';

/** The paths of the datasets that have one. */
export function selectable(entries: Entry[]): string[] {
  return entries.flatMap((entry) => (!isFolder(entry) && entry.path ? [entry.path] : []));
}

/** The paths from one to another, both included, in either direction. */
export function rangeBetween(paths: string[], from: string | undefined, to: string): string[] {
  const start = from === undefined ? -1 : paths.indexOf(from);
  const end = paths.indexOf(to);
  return start === -1 ? [to] : paths.slice(Math.min(start, end), Math.max(start, end) + 1);
}
