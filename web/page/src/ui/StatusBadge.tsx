/**
 * The status of an upload, a job or a dataset.
 */

const TONES: Record<string, string> = {
  Uploaded: 'good',
  Processed: 'good',
  Succeeded: 'good',
  Error: 'bad',
  Failed: 'bad',
  Expired: 'warn',
  Drifted: 'warn',
};

const TITLES: Record<string, string> = {
  Pending: 'The bytes are expected',
  Uploaded: 'The object has arrived and is proven',
  Processing: 'Jobs of the dataset are running',
  Processed: 'All jobs of the dataset have succeeded',
  Error: 'The upload, or a job of it, has failed',
  Expired: 'The bytes did not arrive in time',
  Deleting: 'The dataset is being deleted',
  Superseded: 'A later upload to the same path replaced it',
  Drifted: 'Another program has changed the object since it was proven',
};

/** A status as a badge. */
export function StatusBadge({ status }: { status: string }) {
  return <span class={`badge ${TONES[status] ?? ''}`} title={TITLES[status]}>{status}</span>;
}
