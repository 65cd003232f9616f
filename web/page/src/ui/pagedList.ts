/**
 * A list that the broker sends in pages.
 */
import { batch, signal } from '@preact/signals';
import { nextCursor } from 'upload-broker-client';

import { endSessionIfRefused } from '../session/session.js';

/** One page: its entries, and the response with its `Link` header. */
export interface ListPage<T> {
  entries: T[];
  response: Response;
}

/** Requests the page at a cursor. */
export type FetchPage<T> = (cursor: string | undefined, signal: AbortSignal) => Promise<ListPage<T>>;

interface LoadPlan {
  from: string | undefined;
  pages: number;
  isReplacing: boolean;
}

/** While all pages are read, the rows so far are shown this often. */
const SHOW_MS = 500;

/** The rows so far, and how to get more. All methods can be called at any time. */
export class PagedList<T> {
  readonly rows = signal<T[]>([]);
  readonly isLoading = signal(true);
  /** Whether all pages that are left are being read. */
  readonly isLoadingAll = signal(false);
  /** Whether the last page is there. */
  readonly isComplete = signal(false);
  /** The number of pages so far. */
  readonly pages = signal(0);
  readonly error = signal<unknown>(null);
  readonly #fetchPage: FetchPage<T>;
  #cursor: string | undefined;
  #run = new AbortController();
  /** Whether the rows are to be read again after what is being read. */
  #isStale = false;

  constructor(fetchPage: FetchPage<T>) {
    this.#fetchPage = fetchPage;
  }

  /** Reads the first page. The rows stay until it is there. */
  async start(): Promise<void> {
    await this.#load({ from: undefined, pages: 1, isReplacing: true });
  }

  /**
   * Reads as many pages again as there are, after what is being read. The rows stay until all are
   * there.
   */
  async reload(): Promise<void> {
    this.#isStale = this.isLoading.value;
    if (this.#isStale) {
      return;
    }
    await this.#load({ from: undefined, pages: Math.max(1, this.pages.value), isReplacing: true });
  }

  /**
   * Reads the first page alone again. `merge` puts it into the rows; it gets whether the page is the
   * whole list.
   */
  async refresh(merge: (rows: T[], page: T[], isWhole: boolean) => T[]): Promise<void> {
    if (this.isLoading.value) {
      return;
    }
    const { signal } = this.#run;
    try {
      const { entries, response } = await this.#fetchPage(undefined, signal);
      const isWhole = nextCursor(response.headers.get('link')) === undefined;
      if (!signal.aborted && !this.isLoading.value) {
        this.rows.value = merge(this.rows.value, entries, isWhole);
      }
    } catch (error) {
      if (!signal.aborted && !endSessionIfRefused(error)) {
        this.error.value = error;
      }
    }
  }

  /** Reads the next page, unless a page is being read. */
  async loadMore(): Promise<void> {
    if (!this.isLoading.value && !this.isComplete.value) {
      await this.#load({ from: this.#cursor, pages: 1, isReplacing: false });
    }
  }

  /** Reads all pages that are left. */
  async loadAll(): Promise<void> {
    if (!this.isComplete.value) {
      await this.#load({ from: this.#cursor, pages: Infinity, isReplacing: false });
    }
  }

  /** Stops reading. */
  stop(): void {
    this.#run.abort();
    this.#isStale = false;
    this.isLoading.value = false;
    this.isLoadingAll.value = false;
  }

  async #load({ from, pages, isReplacing }: LoadPlan): Promise<void> {
    this.#run.abort();
    const { signal } = (this.#run = new AbortController());
    let cursor = from;
    let loaded: T[] = [];
    let count = 0;
    let shownAt = Date.now();
    const show = () => {
      batch(() => {
        this.rows.value = isReplacing ? loaded : this.rows.value.concat(loaded);
        this.pages.value = isReplacing ? count : this.pages.value + count;
        this.isComplete.value = cursor === undefined;
      });
      this.#cursor = cursor;
      isReplacing = false;
      loaded = [];
      count = 0;
      shownAt = Date.now();
    };
    this.isLoading.value = true;
    this.isLoadingAll.value = pages === Infinity;
    this.error.value = null;
    try {
      for (let page = 1; ; page++) {
        const { entries, response } = await this.#fetchPage(cursor, signal);
        signal.throwIfAborted();
        cursor = nextCursor(response.headers.get('link'));
        loaded = loaded.concat(entries);
        count += 1;
        // A page may be empty although there is a next one.
        if (cursor === undefined || (page >= pages && loaded.length > 0)) {
          break;
        }
        if (!isReplacing && Date.now() - shownAt > SHOW_MS) {
          show();
        }
      }
      show();
    } catch (error) {
      if (!signal.aborted && !endSessionIfRefused(error)) {
        this.error.value = error;
      }
    } finally {
      if (!signal.aborted) {
        this.isLoading.value = false;
        this.isLoadingAll.value = false;
      }
    }
    if (this.#isStale && !signal.aborted) {
      await this.reload();
    }
  }
}
