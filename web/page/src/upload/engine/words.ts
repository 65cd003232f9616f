/**
 * Errors of files in words.
 */
import { describeError } from '../../words/errors.js';
import type { ErrorWords } from '../../words/errors.js';

/** What browsers reject with when a file cannot be read. */
const UNREADABLE = ['NotReadableError', 'NotFoundError', 'SecurityError', 'NotAllowedError'];

/** The start of a pointer into a batch. */
const BATCH_POINTER = /\/uploads\/\d+\//g;

/** Describes why a file failed. */
export function describeFileError(error: unknown): ErrorWords {
  if (error instanceof DOMException && UNREADABLE.includes(error.name)) {
    return {
      title: 'The file cannot be read',
      advice: 'It was changed, moved or removed since you chose it. Choose it again.',
      requestId: null,
    };
  }
  const words = describeError(error);
  // Where the file was in its batch helps no reader.
  return { ...words, advice: words.advice.replace(BATCH_POINTER, '') };
}
