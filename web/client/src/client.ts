/**
 * The client: one object with all operations.
 */
import type { Client } from 'openapi-fetch';

import { acknowledgeUploads, createUploads, sendBytes } from './batch.js';
import type { BatchResult, CreateUploadsOptions, SendOptions } from './batch.js';
import { download, downloadUrl, getDataset, listDatasets, removeDataset } from './datasets.js';
import type { DownloadOptions, ListOptions, RemoveOptions } from './datasets.js';
import { streamEvents } from './events.js';
import type { EventsOptions, StreamedEvent } from './events.js';
import { Connection, dataOf } from './http/connection.js';
import type { ConnectionOptions } from './http/connection.js';
import { listJobs, readText, searchText } from './processing.js';
import type { JobsOptions, SearchOptions, TextOptions } from './processing.js';
import type {
  AcknowledgeOne,
  CreateUpload,
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

  /**
   * Creates up to 1,000 sessions with one request: for many small files, together with `sendBytes`
   * and `acknowledgeUploads`. The results are in the order of the bodies; a refused one is an error.
   */
  createUploads(bodies: CreateUpload[], options?: CreateUploadsOptions): Promise<BatchResult[]> {
    return createUploads(this.#connection, bodies, options);
  }

  /**
   * Sends the bytes of a session that is not one in parts, once, without retries. `occupied` means
   * that an object stands at the path, perhaps from an earlier attempt: acknowledge to find out.
   */
  sendBytes(upload: Upload, blob: Blob, options?: SendOptions): Promise<'sent' | 'occupied'> {
    return sendBytes(this.#connection, upload, blob, options);
  }

  /**
   * Acknowledges up to 1,000 uploads with one request. The results are in the order of the claims;
   * an error that is `transient` means that the entry was not tried.
   */
  acknowledgeUploads(
    claims: AcknowledgeOne[],
    options: { signal?: AbortSignal } = {},
  ): Promise<BatchResult[]> {
    return acknowledgeUploads(this.#connection, claims, options.signal);
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
