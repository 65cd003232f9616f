/**
 * The entries of a listing, and their order.
 */
import type { Entry } from 'upload-broker-client';

/** An entry that is a dataset. */
export type DatasetEntry = Exclude<Entry, { kind: string }>;
/** An entry that is a folder. */
export type FolderEntry = Extract<Entry, { kind: string }>;

/** What entries are sorted by. */
export type SortField = 'name' | 'size' | 'date';
/** An order of entries. */
export interface Sort {
  field: SortField;
  isDescending: boolean;
}

/** Whether the entry is a folder. */
export function isFolder(entry: Entry): entry is FolderEntry {
  return 'kind' in entry;
}

/** What identifies an entry, and orders it as the store does. */
export function keyOf(entry: Entry): string {
  return entry.path ?? `/${entry.key ?? entry.name}`;
}

/** The last segment of a path, with the slash if it is a folder. */
export function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/', path.length - 2) + 1);
}

/** Compares keys as S3 does: by code points. The operator `<` compares UTF-16 units. */
export function compareKeys(a: string, b: string): number {
  let index = 0;
  while (index < a.length && a[index] === b[index]) {
    index++;
  }
  // Both halves of a pair differ only in the second: its first half is the same.
  const isInPair = index > 0 && /[\ud800-\udbff]/.test(a[index - 1] ?? '');
  const start = isInPair ? index - 1 : index;
  return (a.codePointAt(start) ?? -1) - (b.codePointAt(start) ?? -1);
}

/** Reads `name`, `-name`, `size` and so on. */
export function parseSort(text: string | null): Sort {
  const field = text?.replace(/^-/, '');
  const isKnown = field === 'name' || field === 'size' || field === 'date';
  return { field: isKnown ? field : 'name', isDescending: isKnown && text?.[0] === '-' };
}

/** The opposite of `parseSort`. */
export function formatSort({ field, isDescending }: Sort): string {
  return `${isDescending ? '-' : ''}${field}`;
}

const COLLATOR = new Intl.Collator(undefined, { numeric: true });

/**
 * Sorts entries: folders first, then by the field. If the listing has several pages, entries that
 * are sorted by name stay in the order of the store, so that further pages come at the end.
 */
export function sortEntries(entries: Entry[], sort: Sort, isOnePage: boolean): Entry[] {
  if (sort.field === 'name' && !sort.isDescending && !isOnePage) {
    return entries;
  }
  const sign = sort.isDescending ? -1 : 1;
  return [...entries].sort(
    (a, b) =>
      Number(isFolder(b)) - Number(isFolder(a)) ||
      sign * (compareBy(sort.field, a, b) || COLLATOR.compare(keyOf(a), keyOf(b))),
  );
}

function compareBy(field: SortField, a: Entry, b: Entry): number {
  if (field === 'name' || isFolder(a) || isFolder(b)) {
    return 0;
  }
  return field === 'size' ? a.size - b.size : compareTimes(a.last_modified, b.last_modified);
}

function compareTimes(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
