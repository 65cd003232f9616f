/**
 * The rows of a listing, what is selected, and the order.
 */
import { useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import type { Entry } from 'upload-broker-client';

import type { Session } from '../session/session.js';
import { ErrorNote } from '../ui/ErrorNote.js';
import { ListFoot } from '../ui/ListFoot.js';
import type { PagedList } from '../ui/pagedList.js';
import { useMedia } from '../ui/useMedia.js';
import { WindowedList } from '../ui/WindowedList.js';
import { count } from '../words/numbers.js';
import { EmptyListing } from './EmptyListing.js';
import { isFolder, keyOf, sortEntries } from './entries.js';
import type { Sort } from './entries.js';
import { EntryRow } from './EntryRow.js';
import { SelectionBar } from './SelectionBar.js';
import { rangeBetween, selectable } from './selection.js';
import { SortBar } from './SortBar.js';

/** Shows the entries. */
export function Listing({ session, list, prefix, isFlat, sort, onSort }: {
  session: Session;
  list: PagedList<Entry>;
  prefix: string;
  isFlat: boolean;
  sort: Sort;
  onSort: (sort: Sort) => void;
}) {
  const isNarrow = useMedia('(max-width: 48rem)');
  const selected = useSignal<ReadonlySet<string>>(new Set());
  const anchor = useRef<string | undefined>(undefined);
  const rows = list.rows.value;
  const isOnePage = list.isComplete.value && list.pages.value <= 1;
  const { field, isDescending } = sort;
  const sorted = useMemo(
    () => sortEntries(rows, { field, isDescending }, isOnePage),
    [rows, field, isDescending, isOnePage],
  );
  const paths = useMemo(() => selectable(sorted), [sorted]);
  const chosen = useMemo(
    () => paths.filter((path) => selected.value.has(path)),
    [paths, selected.value],
  );

  const select = (path: string, isSelected: boolean, isRange: boolean) => {
    const range = isRange ? rangeBetween(paths, anchor.current, path) : [path];
    const next = new Set(selected.value);
    range.forEach((one) => (isSelected ? next.add(one) : next.delete(one)));
    selected.value = next;
    anchor.current = path;
  };
  const selectAll = (isSelected: boolean) => (selected.value = new Set(isSelected ? paths : []));
  const remove = (gone: ReadonlySet<string>) => {
    list.rows.value = list.rows.value.filter((row) => !row.path || !gone.has(row.path));
  };

  if (list.error.value != null && rows.length === 0) {
    return <ErrorNote error={list.error.value} onRetry={() => void list.start()} />;
  }
  if (rows.length === 0) {
    return list.isComplete.value ? (
      <EmptyListing session={session} prefix={prefix} isFlat={isFlat} />
    ) : (
      <p aria-busy="true">Loading …</p>
    );
  }
  return (
    <>
      <SortBar
        sort={sort}
        onSort={onSort}
        isAllSelected={chosen.length === paths.length && paths.length > 0}
        isSomeSelected={chosen.length > 0}
        onSelectAll={paths.length > 0 ? selectAll : undefined}
      />
      {chosen.length > 0 && (
        <SelectionBar
          session={session}
          paths={chosen}
          folder={isFlat ? '' : prefix}
          onClear={() => selectAll(false)}
          onRemoved={remove}
        />
      )}
      <WindowedList
        items={sorted}
        rowHeight={isNarrow ? 76 : 46}
        label={isFlat ? `Datasets whose path starts with ${prefix}` : `Content of ${prefix}`}
        keyOf={keyOf}
        onReachEnd={() => void list.loadMore()}
        render={(entry) => (
          <EntryRow
            entry={entry}
            isFlat={isFlat}
            isSelected={entry.path != null && selected.value.has(entry.path)}
            onSelect={select}
          />
        )}
      />
      <ListFoot
        list={list}
        text={describe(rows)}
        isSortedInPart={field !== 'name' || isDescending}
      />
    </>
  );
}

function describe(rows: Entry[]): string {
  const folders = rows.filter(isFolder).length;
  const datasets = rows.length - folders;
  const parts = [datasets > 0 && count(datasets, 'dataset'), folders > 0 && count(folders, 'folder')];
  return parts.filter(Boolean).join(' and ');
}
