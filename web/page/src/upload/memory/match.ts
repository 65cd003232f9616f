/**
 * Recognizes the files of interrupted uploads when the user chooses them again.
 */
import type { UploadRecord } from './records.js';

/** What is compared of a file. */
export interface ChosenFile {
  name: string;
  size: number;
  lastModified: number;
}

/** What a chosen file is. */
export type Match =
  | { kind: 'same'; record: UploadRecord }
  /** It has the name of an interrupted upload, but is another file, or was changed. */
  | { kind: 'changed'; record: UploadRecord; reason: string }
  | { kind: 'unknown' };

/**
 * Compares a file with the uploads that wait for theirs. `firstBytesOf` is only called if the rest
 * is equal and the checksum of the first bytes is known.
 */
export async function matchFile(
  file: ChosenFile,
  records: UploadRecord[],
  firstBytesOf: () => Promise<string>,
): Promise<Match> {
  const named = records.filter((record) => record.fileName === file.name);
  const equal = named.filter(
    ({ size, lastModified }) => size === file.size && lastModified === file.lastModified,
  );
  for (const record of equal) {
    if (record.firstBytes === undefined || record.firstBytes === (await firstBytesOf())) {
      return { kind: 'same', record };
    }
  }
  const [record] = equal.length > 0 ? equal : named;
  if (!record) {
    return { kind: 'unknown' };
  }
  return { kind: 'changed', record, reason: differenceOf(file, record) };
}

function differenceOf(file: ChosenFile, record: UploadRecord): string {
  if (file.size !== record.size) {
    return 'it has another size';
  }
  return file.lastModified !== record.lastModified
    ? 'it was changed since'
    : 'its content is different';
}
