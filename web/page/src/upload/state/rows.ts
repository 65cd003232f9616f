/**
 * The files as the page shows them.
 */
import type { ErrorWords } from '../../words/errors.js';
import { OPEN_STATES } from '../engine/messages.js';
import type { FileState, NewFile, Receipt, RowChange } from '../engine/messages.js';

/** A row of the list. */
export interface ShownRow {
  id: number;
  /** The path below the folder that was dropped or chosen, or the name of the file. */
  label: string;
  path: string;
  size: number;
  state: FileState;
  sentBytes: number;
  error: ErrorWords | null;
  receipt: Receipt | null;
}

/** Which rows are shown. */
export type Filter = 'all' | 'open' | 'failed' | 'ended';

/** The rows in the order in which they were added. */
export class RowList {
  #rows: ShownRow[] = [];
  readonly #byId = new Map<number, ShownRow>();

  get all(): readonly ShownRow[] {
    return this.#rows;
  }

  add(files: NewFile[], folder: string): void {
    for (const { id, file, path } of files) {
      const row: ShownRow = {
        id,
        label: path.startsWith(folder) ? path.slice(folder.length) : path,
        path,
        size: file.size,
        state: 'waiting',
        sentBytes: 0,
        error: null,
        receipt: null,
      };
      this.#rows.push(row);
      this.#byId.set(id, row);
    }
  }

  apply(changes: RowChange[]): void {
    for (const change of changes) {
      const row = this.#byId.get(change.id);
      if (row) {
        if (change.path !== row.path) {
          row.label = change.path.slice(change.path.lastIndexOf('/') + 1);
        }
        Object.assign(row, change);
      }
    }
  }

  get(id: number): ShownRow | undefined {
    return this.#byId.get(id);
  }

  /** Forgets the rows that have ended, other than failed ones. */
  clearEnded(): void {
    this.#rows = this.#rows.filter((row) => !isCleared(row.state));
    const kept = new Set(this.#rows.map(({ id }) => id));
    for (const id of [...this.#byId.keys()].filter((key) => !kept.has(key))) {
      this.#byId.delete(id);
    }
  }

  filter(filter: Filter): readonly ShownRow[] {
    return filter === 'all' ? this.#rows : this.#rows.filter(({ state }) => matches(state, filter));
  }
}

/** Whether `clear` removes rows of this state. */
export function isCleared(state: FileState): boolean {
  return state === 'done' || state === 'skipped' || state === 'cancelled';
}

function matches(state: FileState, filter: Filter): boolean {
  switch (filter) {
    case 'failed':
      return state === 'failed';
    case 'open':
      return OPEN_STATES.includes(state);
    case 'ended':
      return isCleared(state);
    case 'all':
      return true;
  }
}
