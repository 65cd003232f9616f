/**
 * The sums of all files, and what can be done with all of them.
 */
import type { Signal } from '@preact/signals';

import { count, formatBytes, formatDuration, formatRate } from '../../words/numbers.js';
import { countOf, STOPPABLE_STATES } from '../engine/messages.js';
import type { Totals } from '../engine/messages.js';
import type { Filter } from '../state/rows.js';
import {
  cancelAll,
  clearEnded,
  collecting,
  command,
  hasOpenFiles,
  rows,
  rowsVersion,
  totals,
} from '../state/uploads.js';

const FILTERS: { value: Filter; label: string }[] = [
  { value: 'all', label: 'All files' },
  { value: 'open', label: 'Not finished' },
  { value: 'failed', label: 'Failed' },
  { value: 'ended', label: 'Finished' },
];

/** Progress, rate, time left, counts and commands. */
export function Overall({ filter }: { filter: Signal<Filter> }) {
  rowsVersion.value;
  const sums = totals.value;
  if (rows.all.length === 0 && !collecting.value) {
    return null;
  }
  return (
    <section class="card stack overall" aria-label="All files">
      {sums && <Progress sums={sums} />}
      {collecting.value && (
        <p class="hint">Reading the folder: {count(collecting.value.found, 'file')} so far …</p>
      )}
      {sums?.networkError && (
        <div class="note warn">
          <strong>Waiting for the network</strong>
          <p>{sums.networkError}. The upload continues by itself.</p>
        </div>
      )}
      <div class="spread">
        {sums && <Commands sums={sums} />}
        <label class="row filter">
          <span>Show</span>
          <select
            value={filter.value}
            onChange={(event) => (filter.value = event.currentTarget.value as Filter)}
          >
            {FILTERS.map(({ value, label }) => <option key={value} value={value}>{label}</option>)}
          </select>
        </label>
      </div>
    </section>
  );
}

function Progress({ sums }: { sums: Totals }) {
  const { totalBytes, sentBytes, rate, secondsLeft, counts } = sums;
  const isOpen = hasOpenFiles.value;
  const isSending = counts.sending > 0;
  return (
    <>
      <div class="spread">
        <strong>{describeCounts(sums)}</strong>
        {isOpen && isSending && rate > 0 && (
          <span class="hint">
            {formatRate(rate)}
            {secondsLeft !== null && `, ${formatDuration(secondsLeft)} left`}
          </span>
        )}
      </div>
      {isOpen && (
        <>
          {/* Empty files have no bytes to count. */}
          <progress aria-label="All files" max={totalBytes || 1} value={totalBytes ? sentBytes : 0} />
          <p class="hint">{formatBytes(sentBytes)} of {formatBytes(totalBytes)}</p>
        </>
      )}
    </>
  );
}

/** Such as `12 of 200 files done, 1 failed`. */
function describeCounts({ counts }: Totals): string {
  const all = Object.values(counts).reduce((sum, number) => sum + number, 0);
  const others = [
    [counts.failed, 'failed'],
    [counts.conflict, counts.conflict === 1 ? 'waits for your answer' : 'wait for your answer'],
    [counts.paused, 'paused'],
    [counts.skipped, 'skipped'],
    [counts.cancelled, 'cancelled'],
  ] as const;
  const parts = others.filter(([number]) => number > 0);
  const done = `${counts.done.toLocaleString()} of ${count(all, 'file')} done`;
  return [done, ...parts.map(([number, word]) => `${number.toLocaleString()} ${word}`)].join(', ');
}

function Commands({ sums }: { sums: Totals }) {
  const { counts } = sums;
  const stoppable = countOf(sums, STOPPABLE_STATES);
  const ended = counts.done + counts.skipped + counts.cancelled;
  const canCancel = stoppable + counts.paused + counts.conflict > 0 || collecting.value !== null;
  return (
    <div class="row">
      {stoppable > 0 && (
        <button onClick={() => command({ kind: 'pause', target: 'all' })}>Pause all</button>
      )}
      {counts.paused > 0 && (
        <button onClick={() => command({ kind: 'resume', target: 'all' })}>Resume all</button>
      )}
      {canCancel && <button class="danger" onClick={cancelAll}>Cancel all</button>}
      {counts.failed > 0 && (
        <button onClick={() => command({ kind: 'retry', target: 'all' })}>Retry failed</button>
      )}
      {ended > 0 && <button onClick={clearEnded}>Clear finished</button>}
    </div>
  );
}
