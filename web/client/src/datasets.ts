/**
 * Lists, downloads and removes datasets.
 */
import { BrokerError, StoreError, UnavailableError } from './errors.js';
import { dataOf } from './http/connection.js';
import type { Connection } from './http/connection.js';
import { allPages } from './http/pages.js';
import { retry } from './http/retry.js';
import type { DatasetDetail, DownloadUrl, Entry } from './schema-types.js';

/** Which datasets to list. */
export interface ListOptions {
  /** Only paths with this prefix, such as `/data/`. */
  prefix?: string;
  /** `/`: only one level; what is deeper appears as folders. */
  delimiter?: '/';
  /** `upload`: adds the upload of each dataset. */
  include?: 'upload';
  /** The number of entries that are requested at a time; 1000 by default, which is the maximum. */
  pageSize?: number;
  signal?: AbortSignal;
}

/** Yields all datasets under the prefix, in the order of their keys. */
export function listDatasets(
  connection: Connection,
  options: ListOptions = {},
): AsyncGenerator<Entry, void, undefined> {
  const { prefix, delimiter, include, pageSize = 1000, signal } = options;
  return allPages(async (cursor) => {
    const query = { prefix, delimiter, include, limit: pageSize, cursor };
    const answer = await connection.api.GET('/datasets', {
      params: { query },
      signal: signal ?? null,
    });
    return { entries: dataOf(answer), response: answer.response };
  });
}

/** A dataset with all its attributes. */
export async function getDataset(
  connection: Connection,
  path: string,
  options: { signal?: AbortSignal } = {},
): Promise<DatasetDetail> {
  const answer = await connection.api.GET('/datasets/{path}', {
    params: { path: { path } },
    signal: options.signal ?? null,
  });
  return dataOf(answer);
}

/** How to download. */
export interface DownloadOptions {
  /** Whether a browser shows the dataset (`inline`) or saves it (`attachment`). */
  disposition?: 'inline' | 'attachment';
  /** Only these bytes, such as `bytes=0-99`. */
  range?: string;
  signal?: AbortSignal;
}

/** A pre-signed URL of the dataset, for example for the `href` of a link. It is a credential. */
export async function downloadUrl(
  connection: Connection,
  path: string,
  options: Omit<DownloadOptions, 'range'> = {},
): Promise<DownloadUrl> {
  const { disposition, signal } = options;
  const answer = await connection.api.GET('/datasets/{path}/action/download', {
    params: { path: { path }, query: { disposition, redirect: false } },
    signal: signal ?? null,
  });
  return dataOf(answer);
}

/**
 * Starts a download. The answer of the store has the bytes: `blob()`, `text()`, or `body` as a
 * stream. The credential is not sent to the store.
 */
export async function download(
  connection: Connection,
  path: string,
  options: DownloadOptions = {},
): Promise<Response> {
  const { range, signal } = options;
  return retry(connection.retry, signal, async () => {
    const { url } = await downloadUrl(connection, path, options);
    const headers = new Headers(range === undefined ? [] : [['range', range]]);
    const init: RequestInit = { headers, credentials: 'omit', signal: signal ?? null };
    const response = await connection.fetch(url, init).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw new UnavailableError('The store does not answer', { cause: error });
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new StoreError(response.status, '', response.status === 403 || response.status >= 500);
    }
    return response;
  });
}

/** How to remove. */
export interface RemoveOptions {
  /**
   * If another program has replaced the object: `true` ends the upload and keeps the object,
   * `remove` removes it too. Without it, the broker answers 409 `dataset-drifted`.
   */
  force?: 'true' | 'remove';
  /** Whether datasets that were made from it are removed, too. */
  cascade?: boolean;
  signal?: AbortSignal;
}

/**
 * Removes a dataset. Returns whether there was one to remove; a removal that is repeated because
 * its answer was lost may return `false`.
 */
export async function removeDataset(
  connection: Connection,
  path: string,
  options: RemoveOptions = {},
): Promise<boolean> {
  const { force, cascade, signal } = options;
  try {
    await connection.api.DELETE('/datasets/{path}', {
      params: { path: { path }, query: { force, cascade } },
      signal: signal ?? null,
    });
    return true;
  } catch (error) {
    if (error instanceof BrokerError && isGone(error)) {
      return false;
    }
    throw error;
  }
}

function isGone({ status, problem }: BrokerError): boolean {
  return status === 404 || (status === 409 && problem.upload_status === 'Deleted');
}
