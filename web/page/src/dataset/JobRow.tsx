/**
 * One row of the list of jobs.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Job } from 'upload-broker-client';

import { hrefOf } from '../route.js';
import type { Session } from '../session/session.js';
import { StatusBadge } from '../ui/StatusBadge.js';
import { formatTime } from '../words/numbers.js';
import { RetryButton } from './JobCard.js';
import { pathOfUpload } from './uploadPaths.js';

/** The dataset, the processor, and how it went. */
export function JobRow({ session, job, canRetry, onChange }: {
  session: Session;
  job: Job;
  canRetry: boolean;
  onChange: () => void;
}) {
  const path = useSignal<string | null>(null);
  useEffect(() => {
    // The link works without the path, too.
    pathOfUpload(session.client, job.upload_id).then((found) => (path.value = found), () => undefined);
  }, [job.upload_id]);
  const href = path.value
    ? hrefOf('dataset', path.value)
    : hrefOf('dataset', '/', { upload: job.upload_id });
  const percent = job.progress === null ? '' : ` ${Math.round(job.progress * 100)} %`;
  return (
    <div class="job-row">
      <a class="what" href={href} title={path.value ?? undefined}>{path.value ?? `Upload ${job.upload_id}`}</a>
      <span class="hint said" title={job.message ?? undefined}>
        {job.processor}
        {job.attempt > 1 && `, attempt ${job.attempt}`}
        {job.message && ` – ${job.message}`}
      </span>
      <span class="state">
        <StatusBadge status={job.status} />
        {job.status === 'Running' && percent}
      </span>
      <time class="hint" dateTime={job.ended_at ?? job.created_at}>
        {formatTime(job.ended_at ?? job.created_at)}
      </time>
      <span class="act">
        {job.status === 'Failed' && canRetry && (
          <RetryButton session={session} job={job} onChange={onChange} />
        )}
      </span>
    </div>
  );
}
