/**
 * The end of a run in words.
 */
import { count } from '../../words/numbers.js';
import type { RunResult } from '../engine/messages.js';

/** Such as `12 files uploaded, 1 failed`. */
export function describeRun({ done, failed, skipped, cancelled }: RunResult): string {
  const others = [
    [failed, 'failed'],
    [skipped, 'skipped'],
    [cancelled, 'cancelled'],
  ] as const;
  const parts = others
    .filter(([number]) => number > 0)
    .map(([number, word]) => `${number.toLocaleString()} ${word}`);
  return [`${count(done, 'file')} uploaded`, ...parts].join(', ');
}
