/**
 * The datasets on which an action failed, with the reasons.
 */
import { hrefOf } from '../route.js';
import { count } from '../words/numbers.js';
import { describeError } from '../words/errors.js';
import type { ActionFailure } from './inTurn.js';

const SHOWN = 5;

/** Lists the first failures. */
export function Failures({ failures, verb }: { failures: ActionFailure[]; verb: string }) {
  if (failures.length === 0) {
    return null;
  }
  return (
    <div class="note error" role="alert">
      <strong>{count(failures.length, 'dataset')} could not be {verb}</strong>
      <ul>
        {failures.slice(0, SHOWN).map(({ path, error }) => {
          const { title, advice, requestId } = describeError(error);
          return (
            <li key={path}>
              {path.startsWith('/') ? <a href={hrefOf('dataset', path)}>{path}</a> : path}: {title}.{' '}
              {advice}
              {requestId && (
                <>
                  {' '}Request <code>{requestId}</code>
                </>
              )}
            </li>
          );
        })}
      </ul>
      {failures.length > SHOWN && <p>… and {(failures.length - SHOWN).toLocaleString()} more</p>}
    </div>
  );
}
