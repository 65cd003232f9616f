/**
 * The head of a listing: the box that selects everything, and the orders.
 */
import type { Sort, SortField } from './entries.js';

const FIELDS: { field: SortField; label: string }[] = [
  { field: 'name', label: 'Name' },
  { field: 'size', label: 'Size' },
  { field: 'date', label: 'Date' },
];

/** Sorts by a field; the current field again reverses the order. */
export function SortBar({ sort, onSort, isAllSelected, isSomeSelected, onSelectAll }: {
  sort: Sort;
  onSort: (sort: Sort) => void;
  isAllSelected: boolean;
  isSomeSelected: boolean;
  onSelectAll: ((isSelected: boolean) => void) | undefined;
}) {
  return (
    <div class="entry sort-bar" role="group" aria-label="Order of the list">
      {onSelectAll ? (
        <label class="pick">
          <input
            type="checkbox"
            aria-label="Select all datasets in the list"
            checked={isAllSelected}
            indeterminate={isSomeSelected && !isAllSelected}
            onChange={(event) => onSelectAll(event.currentTarget.checked)}
          />
        </label>
      ) : (
        <span />
      )}
      {FIELDS.map(({ field, label }) => {
        const isCurrent = field === sort.field;
        const direction = sort.isDescending ? 'descending' : 'ascending';
        return (
          <button
            key={field}
            class={`quiet by-${field}`}
            aria-pressed={isCurrent}
            aria-label={`Sort by ${label.toLowerCase()}${isCurrent ? `, now ${direction}` : ''}`}
            onClick={() => onSort({ field, isDescending: isCurrent && !sort.isDescending })}
          >
            {label}
            <span aria-hidden="true">{isCurrent ? (sort.isDescending ? '↓' : '↑') : ''}</span>
          </button>
        );
      })}
    </div>
  );
}
