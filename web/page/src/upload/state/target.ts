/**
 * Where files go and what is said about them: what the user has entered in the form. It stays while
 * another view is shown.
 */
import { signal } from '@preact/signals';

import { normalizeFolder } from '../collect/paths.js';
import type { Details } from '../engine/messages.js';

/** A row of the metadata. The number identifies it while the user types. */
export interface MetadataRow {
  id: number;
  key: string;
  value: string;
}

export const folder = signal('/');
export const name = signal('');
export const comments = signal('');
export const metadata = signal<MetadataRow[]>([]);

let nextRow = 1;

/** Adds an empty row. */
export function addMetadataRow(): void {
  metadata.value = [...metadata.value, { id: nextRow++, key: '', value: '' }];
}

/** Changes a row. */
export function changeMetadataRow(id: number, change: Partial<MetadataRow>): void {
  metadata.value = metadata.value.map((row) => (row.id === id ? { ...row, ...change } : row));
}

/** Removes a row. */
export function removeMetadataRow(id: number): void {
  metadata.value = metadata.value.filter((row) => row.id !== id);
}

/** Why the metadata cannot be used; null if nothing is known against it. */
export function metadataProblem(rows: MetadataRow[]): string | null {
  const keys = rows.map(({ key }) => key.trim());
  if (rows.some(({ value }, index) => value.trim() !== '' && keys[index] === '')) {
    return 'A value needs a key.';
  }
  const named = keys.filter(Boolean);
  const repeated = named.find((key, index) => named.indexOf(key) !== index);
  return repeated === undefined ? null : `The key “${repeated}” is there twice.`;
}

/** The folder with its slashes. */
export function chosenFolder(): string {
  return normalizeFolder(folder.value);
}

/** The details of the files that are added now. A name is for a single file. */
export function chosenDetails(isSingle: boolean): Details {
  const pairs = metadata.value.map(({ key, value }) => [key.trim(), value] as const);
  const named = pairs.filter(([key]) => key !== '');
  return {
    ...(isSingle && name.value.trim() && { name: name.value.trim() }),
    ...(comments.value.trim() && { comments: comments.value.trim() }),
    ...(named.length > 0 && { metadata: Object.fromEntries(named) }),
  };
}
