/**
 * The question what to do with a file whose path is taken.
 */
import { useSignal } from '@preact/signals';

import { Dialog } from '../../ui/Dialog.js';
import type { ConflictChoice, Question } from '../engine/messages.js';
import { command } from '../state/uploads.js';

/** Asks once; other files are sent meanwhile. */
export function ConflictDialog({ question }: { question: Question }) {
  const isForAll = useSignal(false);
  const answer = (choice: ConflictChoice) => () => {
    command({ kind: 'answer', id: question.id, choice, isForAll: isForAll.value });
    isForAll.value = false;
  };
  return (
    <Dialog title="This dataset exists" onClose={answer('skip')}>
      <p>
        A dataset stands at <strong>{question.path}</strong>.
        {question.others > 0 && ` Number of other files with this question: ${question.others}.`}
      </p>
      <p>The other files are uploaded meanwhile.</p>
      <label class="check">
        <input
          type="checkbox"
          checked={isForAll.value}
          onChange={(event) => (isForAll.value = event.currentTarget.checked)}
        />
        Do this for all
      </label>
      <div class="row dialog-buttons">
        <button class="primary" onClick={answer('keep-both')}>Keep both</button>
        <button onClick={answer('skip')}>Skip</button>
        <button class="danger" onClick={answer('replace')}>Replace</button>
      </div>
    </Dialog>
  );
}
