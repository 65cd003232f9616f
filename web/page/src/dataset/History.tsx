/**
 * What happened to an upload.
 */
import type { UploadEvent } from 'upload-broker-client';

import { formatTime } from '../words/numbers.js';

/** Only the newest events are shown of an upload that drifts every day. */
const SHOWN = 100;

const WORDS: Record<string, string> = {
  'dataset.uploaded': 'Arrived, and was proven',
  'upload.failed': 'Failed',
  'upload.expired': 'Expired: nothing arrived in time',
  'upload.cancelled': 'Was cancelled',
  'dataset.deleting': 'Is being deleted',
  'dataset.deleted': 'Was deleted',
  'dataset.superseded': 'Was replaced by a later upload',
  'dataset.processing': 'Processing began',
  'dataset.processed': 'Processing succeeded',
  'dataset.processing-failed': 'Processing failed',
  'dataset.drifted': 'Drifted: another program changed the object',
  'dataset.restored': 'The proven object is back',
};

/** The events, newest first. */
export function History({ events }: { events: UploadEvent[] }) {
  if (events.length === 0) {
    return null;
  }
  const newest = events.slice(-SHOWN).reverse();
  return (
    <section class="card history" aria-labelledby="history">
      <h2 id="history">History</h2>
      <ol>
        {newest.map((event) => (
          <li key={event.id}>
            <span>
              {WORDS[event.type] ?? event.type}
              {detailOf(event) && <span class="hint"> {detailOf(event)}</span>}
            </span>
            <time class="hint" dateTime={event.time}>{formatTime(event.time)}</time>
          </li>
        ))}
      </ol>
      {events.length > SHOWN && (
        <p class="hint">The {SHOWN} newest of {events.length.toLocaleString()} events</p>
      )}
    </section>
  );
}

function detailOf({ type, data, undeliverable_at: undeliverable }: UploadEvent): string {
  const error = data.error as { detail?: string } | null;
  if (error?.detail && type.endsWith('failed')) {
    return error.detail;
  }
  if (type === 'dataset.drifted') {
    return data.drift === 'missing' ? 'It is missing.' : 'It has other bytes.';
  }
  return undeliverable ? 'The notification could not be delivered.' : '';
}
