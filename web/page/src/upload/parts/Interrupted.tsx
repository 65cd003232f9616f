/**
 * Offers to resume the uploads that an earlier page has left unfinished.
 */
import { count, formatBytes } from '../../words/numbers.js';
import type { UploadRecord } from '../memory/records.js';
import {
  discardInterrupted,
  interrupted,
  missing,
  rejected,
  resumeInterrupted,
  takeChosen,
} from '../state/interrupted.js';
import { FileButton } from './FileButton.js';
import type { OnFiles } from './FileButton.js';

/** How many files are named. */
const NAMED = 5;

/** Nothing, the offer, or what is still needed for it. */
export function Interrupted() {
  const offered = interrupted.value;
  const waiting = missing.value;
  if (offered.length === 0 && waiting.length === 0) {
    return null;
  }
  return (
    <section class="note warn stack" aria-label="Interrupted uploads">
      {offered.length > 0 && (
        <>
          <strong>
            {count(offered.length, 'upload')} {offered.length === 1 ? 'was' : 'were'} interrupted
          </strong>
          <Names records={offered} />
        </>
      )}
      {waiting.length > 0 && (
        <>
          <strong>Choose {pronounOf(waiting, 'this file')} again</strong>
          <p>The browser cannot open {waiting.length === 1 ? 'it' : 'them'} by itself.</p>
          <Names records={waiting} />
        </>
      )}
      {rejected.value.length > 0 && <Rejected reasons={rejected.value} />}
      <div class="row">
        {offered.length > 0 && (
          <button class="primary" onClick={() => void resumeInterrupted()}>Resume</button>
        )}
        {waiting.length > 0 && <ChooseAgain />}
        <button onClick={() => void discardInterrupted()}>Discard</button>
      </div>
    </section>
  );
}

/** `one`, or the number of files. */
function pronounOf(records: UploadRecord[], one: string): string {
  return records.length === 1 ? one : `these ${count(records.length, 'file')}`;
}

function ChooseAgain() {
  const take: OnFiles = (chunks) => void takeChosen(chunks);
  return (
    <>
      <FileButton label="Choose them again" onFiles={take} problem={null} isPrimary />
      <FileButton label="Choose their folder" onFiles={take} problem={null} isFolder />
    </>
  );
}

function Rejected({ reasons }: { reasons: string[] }) {
  return (
    <div role="alert">
      <ul class="names">
        {reasons.slice(0, NAMED).map((text) => <li key={text}>{text}</li>)}
      </ul>
    </div>
  );
}

function Names({ records }: { records: UploadRecord[] }) {
  const others = records.length - NAMED;
  return (
    <ul class="names">
      {records.slice(0, NAMED).map(({ key, path, size }) => (
        <li key={key}>{path} ({formatBytes(size)})</li>
      ))}
      {others > 0 && <li>and {count(others, 'other')}</li>}
    </ul>
  );
}
