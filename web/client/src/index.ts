/**
 * Client of upload-broker for Node and browsers.
 *
 * @packageDocumentation
 */
export type { BatchResult, CreateUploadsOptions, SendOptions } from './batch.js';
export { BrokerClient } from './client.js';
export { Crc64 } from './crc64.js';
export type { DownloadOptions, ListOptions, RemoveOptions } from './datasets.js';
export {
  BrokerError,
  ConflictError,
  SessionEndedError,
  StoreError,
  UnavailableError,
} from './errors.js';
export type { RetryHint } from './errors.js';
export type { EventsOptions, StreamedEvent } from './events.js';
export { dataOf } from './http/connection.js';
export type { ConnectionOptions, Credential, Fetch } from './http/connection.js';
export { nextCursor } from './http/pages.js';
export { isTransient } from './http/retry.js';
export type { RetryOptions } from './http/retry.js';
export type { JobsOptions, SearchOptions, TextOptions } from './processing.js';
export type {
  AcknowledgeOne,
  Checksum,
  CreateUpload,
  DatasetDetail,
  DownloadUrl,
  Entry,
  Job,
  Part,
  Problem,
  SearchHit,
  TextOfPage,
  Upload,
  UploadEvent,
} from './schema-types.js';
export type { components, operations, paths } from './schema.js';
export { checksumOf } from './upload/checksum.js';
export { randomKey, resumeKey } from './upload/keys.js';
export { SINGLE_LIMIT } from './upload/options.js';
export type { Progress, UploadOptions } from './upload/options.js';
export type { UploadSource } from './upload/source.js';
