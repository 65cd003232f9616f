/**
 * The client: one object with all operations.
 */
import type { Client } from 'openapi-fetch';

import { download, downloadUrl, getDataset, listDatasets, removeDataset } from './datasets.js';
import type { DownloadOptions, ListOptions, RemoveOptions } from './datasets.js';
import { streamEvents } from './events.js';
import type { EventsOptions, StreamedEvent } from './events.js';
import { Connection, dataOf } from './http/connection.js';
import type { ConnectionOptions } from './http/connection.js';
import { listJobs, readText, searchText } from './processing.js';
import type { JobsOptions, SearchOptions, TextOptions } from './processing.js';
import type {
  DatasetDetail,
  DownloadUrl,
  Entry,
  Job,
  SearchHit,
  TextOfPage,
  Upload,
} from './schema-types.js';
import type { paths } from './schema.js';
import type { UploadOptions } from './upload/options.js';
import type { UploadSource } from './upload/source.js';
import { upload } from './upload/upload.js';

/**
 * A client of one broker. It has no state: one instance can be shared, and requests can run at the
 * same time.
 *
 * ```ts
 * const broker = new BrokerClient({ url: 'http://127.0.0.1:8080', credential: key });
 * const receipt = await broker.upload(file, { path: '/data/employees.csv' });
 * ```
 *
 * All operations retry requests that fail for a while, and reject with the errors of this package.
 */
export class BrokerClient {
  readonly #connection: Connection;

  constructor(options: ConnectionOptions) {
    this.#connection = new Connection(options);
  }

  /**
   * The operations of `openapi.yaml` that have no method here, with their types:
   * `client.api.POST('/tokens', { body: { prefix: '/in/' } })`. They reject with the errors of this
   * package, so that `data` of an answer is always there and `error` never is.
   */
  get api(): Client<paths, 'application/json'> {
    return this.#connection.api;
  }

  /**
   * Uploads bytes, and acknowledges. Returns the receipt: `verification.level` is `checksum` unless
   * the store or the options prevent it.
   *
   * Rejects with a `ConflictError` if another dataset stands at the path, a `BrokerError` if the
   * broker refuses, a `StoreError` if the store does, an `UnavailableError` if one of them does not
   * answer, a `SessionEndedError` if the session of the key has ended, or the reason of the signal.
   */
  upload(source: UploadSource, options: UploadOptions): Promise<Upload> {
    return upload(this.#connection, source, options);
  }

  /** The current state of an upload. */
  async getUpload(id: string, options: { signal?: AbortSignal } = {}): Promise<Upload> {
    const answer = await this.api.GET('/uploads/{id}', {
      params: { path: { id } },
      signal: options.signal ?? null,
    });
    return dataOf(answer);
  }

  /** Ends an upload that is not yet acknowledged, and frees its parts. */
  async cancelUpload(id: string, options: { signal?: AbortSignal } = {}): Promise<Upload> {
    const answer = await this.api.POST('/uploads/{id}/cancel', {
      params: { path: { id } },
      signal: options.signal ?? null,
    });
    return dataOf(answer);
  }

  /** Yields all datasets under a prefix, in the order of their keys. */
  list(options?: ListOptions): AsyncGenerator<Entry, void, undefined> {
    return listDatasets(this.#connection, options);
  }

  /** A dataset with all its attributes. */
  getDataset(path: string, options?: { signal?: AbortSignal }): Promise<DatasetDetail> {
    return getDataset(this.#connection, path, options);
  }

  /**
   * Starts a download. The answer of the store has the bytes: `blob()`, `text()`, or `body` as a
   * stream.
   */
  download(path: string, options?: DownloadOptions): Promise<Response> {
    return download(this.#connection, path, options);
  }

  /** A pre-signed URL of the dataset, for example for the `href` of a link. It is a credential. */
  downloadUrl(path: string, options?: Omit<DownloadOptions, 'range'>): Promise<DownloadUrl> {
    return downloadUrl(this.#connection, path, options);
  }

  /** Removes a dataset. Returns whether there was one. */
  remove(path: string, options?: RemoveOptions): Promise<boolean> {
    return removeDataset(this.#connection, path, options);
  }

  /**
   * Yields events as they are committed, and reconnects where it stopped, until the loop is left or
   * the signal is aborted.
   */
  events(options?: EventsOptions): AsyncGenerator<StreamedEvent, void, undefined> {
    return streamEvents(this.#connection, options);
  }

  /** Yields all jobs that match. */
  jobs(options?: JobsOptions): AsyncGenerator<Job, void, undefined> {
    return listJobs(this.#connection, options);
  }

  /** Yields the text of a document page by page. */
  text(uploadId: string, options?: TextOptions): AsyncGenerator<TextOfPage, void, undefined> {
    return readText(this.#connection, uploadId, options);
  }

  /** The pages of documents that match best. */
  search(words: string, options?: SearchOptions): Promise<SearchHit[]> {
    return searchText(this.#connection, words, options);
  }
}
