/**
 * The end of a list that comes in pages.
 */
import { count } from '../words/numbers.js';
import { ErrorNote } from './ErrorNote.js';
import type { PagedList } from './pagedList.js';

/** How much is there, and how to get the rest. */
export function ListFoot<T>({ list, text, isSortedInPart = false }: {
  list: PagedList<T>;
  /** The rows in words, such as `2 datasets`. */
  text: string;
  /** Whether only the rows so far are in the order that the user chose. */
  isSortedInPart?: boolean;
}) {
  const error = list.error.value;
  if (list.isComplete.value) {
    return (
      <p class="hint list-foot" role="status">
        {text}
        {error != null && <ErrorNote error={error} onRetry={() => void list.reload()} />}
      </p>
    );
  }
  return (
    <div class="list-foot">
      <p class="hint">
        {text} so far. There are more.
        {isSortedInPart && ` Only these ${count(list.rows.value.length, 'row')} are sorted.`}
      </p>
      {error != null && <ErrorNote error={error} />}
      <p class="row">
        {/* No button takes the place of another one: pages are also read when the list is scrolled. */}
        <button disabled={list.isLoading.value} onClick={() => void list.loadMore()}>
          {list.isLoading.value ? 'Loading …' : 'Load more'}
        </button>
        <button disabled={list.isLoadingAll.value} onClick={() => void list.loadAll()}>Load all</button>
        {list.isLoadingAll.value && <button onClick={() => list.stop()}>Stop</button>}
      </p>
    </div>
  );
}
