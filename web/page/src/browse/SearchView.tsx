/**
 * Finds words in documents.
 *
 *     #/search?q=quarterly+report&in=/in/
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { SearchHit } from 'upload-broker-client';

import type { ViewProps } from '../app.js';
import { hrefOf, replaceRoute } from '../route.js';
import { endSessionIfRefused } from '../session/session.js';
import { ErrorNote } from '../ui/ErrorNote.js';
import { count } from '../words/numbers.js';
import './browse.css';
import './search.css';
import { snippetParts } from './snippet.js';

const PAUSE_MS = 250;
/** The most that the broker returns. */
const LIMIT = 100;

/** The field for words, and the pages that have them. */
export function SearchView({ session, route }: ViewProps) {
  const words = route.query.get('q') ?? '';
  const folder = route.query.get('in') ?? '';
  const hits = useSignal<SearchHit[] | null>(null);
  const error = useSignal<unknown>(null);
  const isBusy = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const search = () => {
    // The answer to earlier words must not replace that to later ones.
    const controller = new AbortController();
    const { signal } = controller;
    error.value = null;
    if (!words) {
      hits.value = null;
      isBusy.value = false;
      return undefined;
    }
    isBusy.value = true;
    const prefix = folder && `/${folder.replace(/^\//, '')}`;
    session.client.search(words, { ...(prefix && { prefix }), limit: LIMIT, signal }).then(
      (found) => {
        hits.value = found;
        isBusy.value = false;
      },
      (cause: unknown) => {
        if (!signal.aborted && !endSessionIfRefused(cause)) {
          error.value = cause;
          isBusy.value = false;
        }
      },
    );
    return () => controller.abort();
  };
  useEffect(search, [words, folder]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const read = () => {
    if (form.current) {
      const data = new FormData(form.current);
      const query: Record<string, string> = {};
      for (const name of ['q', 'in']) {
        const value = String(data.get(name) ?? '').trim();
        if (value) {
          query[name] = value;
        }
      }
      replaceRoute(hrefOf('search', '/', query));
    }
  };
  const readLater = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(read, PAUSE_MS);
  };

  return (
    <>
      <h1>Search in documents</h1>
      <form
        ref={form}
        class="search-form"
        role="search"
        onInput={readLater}
        onSubmit={(event: Event) => {
          event.preventDefault();
          clearTimeout(timer.current);
          read();
        }}
      >
        <label class="field words">
          <span>Words</span>
          <input name="q" type="search" defaultValue={words} maxLength={1000} autocomplete="off" />
        </label>
        <label class="field">
          <span>In the folder</span>
          <input name="in" defaultValue={folder} placeholder="/" spellcheck={false} autocomplete="off" />
        </label>
      </form>
      <p class="hint" role="status">{summary(words, hits.value, isBusy.value)}</p>
      {error.value != null && <ErrorNote error={error.value} onRetry={() => void search()} />}
      {words && hits.value && (
        <ol class="hits" aria-label="Pages that match" aria-busy={isBusy.value}>
          {hits.value.map((hit) => (
            <li key={`${hit.upload_id} ${hit.page}`} class="card">
              <a href={hrefOf('dataset', hit.path, { page: String(hit.page) })}>{hit.path}</a>
              <span class="hint"> page {hit.page.toLocaleString()}</span>
              <p class="snippet">
                {snippetParts(hit.snippet).map(({ text, isMatch }, index) =>
                  isMatch ? <mark key={index}>{text}</mark> : text,
                )}
              </p>
            </li>
          ))}
        </ol>
      )}
      {(!words || hits.value?.length === 0) && <Advice />}
    </>
  );
}

function summary(words: string, hits: SearchHit[] | null, isBusy: boolean): string {
  if (!words) {
    return '';
  }
  if (isBusy && !hits) {
    return 'Searching …';
  }
  if (!hits) {
    return '';
  }
  if (hits.length === 0) {
    return `No page has all of these words: ${words}`;
  }
  return hits.length === LIMIT ? `The best ${LIMIT} pages` : count(hits.length, 'page');
}

function Advice() {
  return (
    <div class="card empty advice">
      <p>
        The text of PDF documents is searched, page by page, after the processor <code>pdf-text</code>{' '}
        has read them. All words must be on the page.
      </p>
      <ul>
        <li><code>"quarterly report"</code> finds the phrase.</li>
        <li><code>invoice or receipt</code> finds either word.</li>
        <li><code>invoice -draft</code> leaves out pages with the second word.</li>
      </ul>
      <p>To find a dataset by its path, use <a href={hrefOf('browse')}>Datasets</a>.</p>
    </div>
  );
}
