/**
 * The state of a file in words.
 */
import { formatBytes } from '../../words/numbers.js';
import type { FileState } from '../engine/messages.js';
import type { ShownRow } from '../state/rows.js';

const WORDS: Record<FileState, string> = {
  waiting: 'Waiting',
  hashing: 'Preparing',
  sending: 'Sending',
  proving: 'Proving',
  paused: 'Paused',
  conflict: 'A dataset with this path exists',
  done: 'Done',
  failed: 'Failed',
  skipped: 'Skipped',
  cancelled: 'Cancelled',
};

/** The state, and how far it is. */
export function describeState({ state, sentBytes, size, error, receipt }: ShownRow): string {
  switch (state) {
    case 'sending':
    case 'paused':
      return sentBytes > 0
        ? `${WORDS[state]}, ${formatBytes(sentBytes)} of ${formatBytes(size)}`
        : `${WORDS[state]}, ${formatBytes(size)}`;
    case 'failed':
      return error ? [error.title, error.advice].filter(Boolean).join('. ') : WORDS.failed;
    case 'done':
      return `${receipt ? proofWords(receipt.level) : WORDS.done}, ${formatBytes(size)}`;
    default:
      return `${WORDS[state]}, ${formatBytes(size)}`;
  }
}

/** What a level of proof means. */
export function proofWords(level: string): string {
  switch (level) {
    case 'checksum':
      return 'Proven by checksum';
    case 'size':
      return 'Proven by size';
    default:
      return 'Stored, not proven by size or checksum';
  }
}
