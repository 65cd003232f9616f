/**
 * A job: how far it is, and what it said.
 */
import { useSignal } from '@preact/signals';
import type { Job } from 'upload-broker-client';

import { endSessionIfRefused } from '../session/session.js';
import type { Session } from '../session/session.js';
import { ErrorNote } from '../ui/ErrorNote.js';
import { StatusBadge } from '../ui/StatusBadge.js';
import { formatTime } from '../words/numbers.js';

/** Shows a job, and retries it if it has failed. */
export function JobCard({ session, job, canRetry, onChange }: {
  session: Session;
  job: Job;
  canRetry: boolean;
  onChange: () => void;
}) {
  const percent = Math.round((job.progress ?? 0) * 100);
  return (
    <div class="job">
      <div class="row">
        <strong>{job.processor}</strong>
        <StatusBadge status={job.status} />
        {job.attempt > 1 && <span class="hint">Attempt {job.attempt}</span>}
        <span class="hint">{timesOf(job)}</span>
        {job.status === 'Failed' && canRetry && (
          <RetryButton session={session} job={job} onChange={onChange} />
        )}
      </div>
      {job.status === 'Running' && (
        <progress
          aria-label={`Progress of ${job.processor}`}
          max={100}
          {...(job.progress !== null && { value: percent })}
        />
      )}
      {job.message && <p class={job.status === 'Failed' ? 'failure' : 'hint'}>{job.message}</p>}
      {job.report && <p class="hint">{reportOf(job.report)}</p>}
    </div>
  );
}

/** Queues a failed job again. */
export function RetryButton({ session, job, onChange }: {
  session: Session;
  job: Job;
  onChange: () => void;
}) {
  const isBusy = useSignal(false);
  const error = useSignal<unknown>(null);
  const retry = async () => {
    isBusy.value = true;
    error.value = null;
    try {
      await session.client.api.POST('/uploads/{id}/processing/retry', {
        params: { path: { id: job.upload_id } },
        body: { processor: job.processor },
      });
      onChange();
    } catch (cause) {
      if (!endSessionIfRefused(cause)) {
        error.value = cause;
      }
    } finally {
      isBusy.value = false;
    }
  };
  return (
    <>
      <button aria-label={`Retry ${job.processor}`} disabled={isBusy.value} onClick={() => void retry()}>
        Retry
      </button>
      {error.value != null && <ErrorNote error={error.value} />}
    </>
  );
}

function timesOf({ created_at: created, started_at: started, ended_at: ended }: Job): string {
  if (ended) {
    return `Ended ${formatTime(ended)}`;
  }
  return started ? `Started ${formatTime(started)}` : `Queued ${formatTime(created)}`;
}

/** The plain values of a report, such as `rows: 3`. */
function reportOf(report: Record<string, unknown>): string {
  return Object.entries(report)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(([key, value]) => `${key.replaceAll('_', ' ')}: ${String(value)}`)
    .join(', ');
}
