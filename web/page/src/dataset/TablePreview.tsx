/**
 * The first rows of a table that is stored as a text file.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { BrokerClient } from 'upload-broker-client';

import { endSessionIfRefused } from '../session/session.js';
import { ErrorNote } from '../ui/ErrorNote.js';
import { formatOf, readTable } from './tableFormat.js';
import type { TableFormat, TableHead } from './tableFormat.js';

/** As much of the file is read. */
const HEAD_BYTES = 64 * 1024;
const MAX_ROWS = 25;
const MAX_COLUMNS = 20;
const MAX_CELL = 200;

/** Reads the beginning of the file from the store, and shows it as a table. */
export function TablePreview({ client, path, size, url, format = formatOf(path) }: {
  client: BrokerClient;
  path: string;
  size: number;
  /** A pre-signed URL, which may have ended. */
  url: string;
  format?: TableFormat | undefined;
}) {
  const table = useSignal<TableHead | null>(null);
  const error = useSignal<unknown>(null);
  const load = () => {
    const controller = new AbortController();
    const { signal } = controller;
    error.value = null;
    readHead(client, path, url, size, signal).then(
      (text) => (table.value = readTable(text, format ?? 'csv', size <= HEAD_BYTES)),
      (cause: unknown) => {
        if (!signal.aborted && !endSessionIfRefused(cause)) {
          error.value = cause;
        }
      },
    );
    return () => controller.abort();
  };
  useEffect(load, [path, size]);

  if (error.value != null) {
    return <ErrorNote error={error.value} onRetry={() => void load()} />;
  }
  if (!table.value) {
    return <p aria-busy="true">Loading …</p>;
  }
  const { columns, rows } = table.value;
  if (columns.length === 0) {
    return <p class="hint">{size === 0 ? 'The file is empty.' : 'The first 64 KiB have no whole row.'}</p>;
  }
  const shownColumns = columns.slice(0, MAX_COLUMNS);
  const isAll = size <= HEAD_BYTES && rows.length <= MAX_ROWS;
  return (
    <>
      <div class="table-frame" tabIndex={0} role="region" aria-label={`First rows of ${path}`}>
        <table>
          <thead>
            <tr>
              {shownColumns.map((column, index) => (
                <th key={index} scope="col" class={isNumber(rows[0]?.[index] ?? '') ? 'number' : ''}>
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MAX_ROWS).map((row, index) => (
              <tr key={index}>
                {shownColumns.map((_, column) => <Cell key={column} text={row[column] ?? ''} />)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="hint">
        {isAll ? `All rows: ${rows.length}` : `The first ${Math.min(rows.length, MAX_ROWS)} rows`}
        {columns.length > MAX_COLUMNS && ` and ${MAX_COLUMNS} of ${columns.length} columns`}
      </p>
    </>
  );
}

function Cell({ text }: { text: string }) {
  const isLong = text.length > MAX_CELL;
  return <td class={isNumber(text) ? 'number' : ''}>{isLong ? `${text.slice(0, MAX_CELL)} …` : text}</td>;
}

function isNumber(text: string): boolean {
  return /^-?\d+([.,]\d+)?$/.test(text);
}

async function readHead(
  client: BrokerClient,
  path: string,
  url: string,
  size: number,
  signal: AbortSignal,
): Promise<string> {
  if (size === 0) {
    // A range of nothing is an error.
    return '';
  }
  const range = `bytes=0-${HEAD_BYTES - 1}`;
  const init: RequestInit = { headers: { range }, credentials: 'omit', signal };
  let response = await fetch(url, init).catch(() => undefined);
  signal.throwIfAborted();
  if (!response?.ok) {
    response = await client.download(path, { range, signal });
  }
  const bytes = await response.arrayBuffer();
  return new TextDecoder().decode(bytes.slice(0, HEAD_BYTES));
}
