/**
 * A file in the list.
 */
import { hrefOf } from '../../route.js';
import { STOPPABLE_STATES } from '../engine/messages.js';
import type { Command } from '../engine/messages.js';
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
  const { id, label, state, size, sentBytes } = row;
  const name = label.slice(label.lastIndexOf('/') + 1);
  const send = (kind: 'pause' | 'resume' | 'cancel' | 'retry') => () =>
    command({ kind, target: [id] } satisfies Command);
  const canStop = STOPPABLE_STATES.includes(state);
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
      {hasProgress && <progress aria-label={`Progress of ${name}`} max={size || 1} value={sentBytes} />}
      {state === 'proving' && <progress aria-label={`Proof of ${name}`} />}
      <div class="file-buttons">
        {canStop && <RowButton icon="pause" label={`Pause ${name}`} onClick={send('pause')} />}
        {state === 'paused' && <RowButton icon="resume" label={`Resume ${name}`} onClick={send('resume')} />}
        {(state === 'failed' || state === 'cancelled' || state === 'skipped') && (
          <RowButton icon="retry" label={`Retry ${name}`} onClick={send('retry')} />
        )}
        {state === 'done' && <RowButton icon="receipt" label={`Receipt of ${name}`} onClick={() => onDetails(row)} />}
        {state === 'failed' && <RowButton icon="info" label={`Why ${name} failed`} onClick={() => onDetails(row)} />}
        {(canStop || state === 'paused' || state === 'conflict') && (
          <RowButton icon="cancel" label={`Cancel ${name}`} onClick={send('cancel')} />
        )}
      </div>
    </div>
  );
}

function RowButton({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button class="quiet icon-button" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}
