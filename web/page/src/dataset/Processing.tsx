/**
 * What became of a dataset: its jobs, and what they have written.
 */
import type { Job, Upload } from 'upload-broker-client';

import { hasScope } from '../session/principal.js';
import type { Session } from '../session/session.js';
import { JobCard } from './JobCard.js';
import { PdfText } from './PdfText.js';
import { OtherResults, Tables, Thumbnails } from './Results.js';
import { formatOf } from './tableFormat.js';
import type { ResultEntry } from './useDataset.js';

/** The jobs, then the results by kind. */
export function Processing({ session, upload, jobs, results, page, onChange }: {
  session: Session;
  upload: Upload | null;
  jobs: Job[];
  results: ResultEntry[];
  /** The page of the text to begin with. */
  page: number;
  onChange: () => void;
}) {
  if (!upload || jobs.length === 0) {
    return null;
  }
  const thumbnails = results.filter(({ kind }) => kind === 'thumbnail' || kind === 'image');
  const tables = results.filter((result) => formatOf(result.path) && !thumbnails.includes(result));
  const others = results.filter((result) => !thumbnails.includes(result) && !tables.includes(result));
  const textJob = jobs.find(({ processor, status }) => processor === 'pdf-text' && status === 'Succeeded');
  return (
    <>
      <section class="card" aria-labelledby="processing">
        <h2 id="processing">Processing</h2>
        <ul class="jobs">
          {jobs.map((job) => (
            <li key={job.id}>
              <JobCard
                session={session}
                job={job}
                canRetry={hasScope(session.principal, 'processing:write')}
                onChange={onChange}
              />
            </li>
          ))}
        </ul>
      </section>
      {textJob && (
        <PdfText key={`${textJob.id} ${textJob.attempt} ${page}`} session={session} uploadId={upload.id} page={page} />
      )}
      <Thumbnails results={thumbnails} />
      <Tables session={session} results={tables} />
      <OtherResults results={others} />
    </>
  );
}
