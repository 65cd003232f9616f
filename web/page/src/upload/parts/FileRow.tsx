/**
 * A file in the list.
 */
import { hrefOf } from '../../route.js';
import { STOPPABLE_STATES } from '../engine/messages.js';
import type { ShownRow } from '../state/rows.js';
import { command } from '../state/uploads.js';
import { Icon } from './Icon.js';
import type { IconName } from './Icon.js';
import { describeState } from './state-words.js';

/** The height of a row in units of the font size: two lines and their space. */
export const ROW_HEIGHT = 4;

const TONES: Partial<Record<ShownRow['state'], string>> = {
  done: 'good',
  failed: 'bad',
  conflict: 'warn',
};

/** The name, the state and the commands of a file. */
export function FileRow({ row, onDetails, canRead }: {
  row: ShownRow;
  onDetails: (row: ShownRow) => void;
  /** Whether the user may open datasets. */
  canRead: boolean;
}) {
  const { label, state, size, sentBytes } = row;
  const hasProgress = state === 'sending' || (state === 'paused' && sentBytes > 0);
  return (
    <div class="file" data-state={state}>
      <div class="file-text">
        <span class="file-name" title={row.path}>
          {state === 'done' && canRead
            ? <a href={hrefOf('dataset', row.path)}>{label}</a>
            : label}
        </span>
        <span class={`file-state ${TONES[state] ?? ''}`} title={row.error?.advice}>
          {describeState(row)}
        </span>
      </div>
      {hasProgress && <progress aria-label={`Progress of ${label}`} max={size || 1} value={sentBytes} />}
      {state === 'proving' && <progress aria-label={`Proof of ${label}`} />}
      <div class="file-buttons">
        <Buttons row={row} onDetails={onDetails} />
      </div>
    </div>
  );
}

function Buttons({ row, onDetails }: { row: ShownRow; onDetails: (row: ShownRow) => void }) {
  const { id, label, state } = row;
  const name = label.slice(label.lastIndexOf('/') + 1);
  const button = (icon: IconName, words: string, onClick: () => void) => (
    <button class="quiet icon-button" aria-label={words} title={words} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
  const send = (kind: 'pause' | 'resume' | 'cancel' | 'retry', words: string) =>
    button(kind, `${words} ${name}`, () => command({ kind, target: [id] }));
  const canStop = STOPPABLE_STATES.includes(state);
  return (
    <>
      {canStop && send('pause', 'Pause')}
      {state === 'paused' && send('resume', 'Resume')}
      {(state === 'failed' || state === 'cancelled' || state === 'skipped') && send('retry', 'Retry')}
      {state === 'done' && button('receipt', `Receipt of ${name}`, () => onDetails(row))}
      {state === 'failed' && button('info', `Why ${name} failed`, () => onDetails(row))}
      {(canStop || state === 'paused' || state === 'conflict') && send('cancel', 'Cancel')}
    </>
  );
}
