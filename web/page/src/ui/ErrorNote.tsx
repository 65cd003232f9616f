/**
 * An error in words, with the id of the request, by which an operator finds it in the log.
 */
import { describeError } from '../words/errors.js';

/** Shows an error, and a button to try again if there is something to try. */
export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { title, advice, requestId } = describeError(error);
  return (
    <div class="note error" role="alert">
      <strong>{title}</strong>
      {advice && <p>{advice}</p>}
      {requestId && (
        <p class="hint">
          Request <code>{requestId}</code>
        </p>
      )}
      {onRetry && <button onClick={onRetry}>Try again</button>}
    </div>
  );
}
