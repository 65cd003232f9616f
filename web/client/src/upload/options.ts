/**
 * The options of an upload, and the request that they become.
 */
import type { Checksum, CreateUpload, Upload } from '../schema-types.js';

/** How much of an upload has been sent. */
export interface Progress {
  /** The bytes that were sent, or that the store has from an earlier attempt; never decreases. */
  sentBytes: number;
  /** The size of the whole upload; null for a stream that has not ended. */
  totalBytes: number | null;
}

/** How to upload. Only `path` is required. */
export interface UploadOptions {
  /** The path of the dataset, such as `/data/employees.csv`. */
  path: string;
  /** Is called with the progress: first at once, and last when all bytes were sent. */
  onProgress?: (progress: Progress) => void;
  /** Is called with the session, as soon as there is one. With its id it can be cancelled. */
  onSession?: (upload: Upload) => void;
  /**
   * Aborts the upload; it then rejects with the signal's reason. With an `idempotencyKey`, the
   * session stays open and the next call resumes; otherwise it is cancelled.
   */
  signal?: AbortSignal;
  /**
   * 1 to 255 visible ASCII characters that stand for this upload. A later call with the same key,
   * path, options and bytes continues where an earlier one stopped, or returns its receipt.
   * `resumeKey` makes one for a file. Without a key, every call is a new upload.
   */
  idempotencyKey?: string;
  /**
   * By default the client computes a CRC64NVME, so that the receipt has the level `checksum`.
   * `false`: no checksum. A value: the checksum that you know already; nothing is computed.
   */
  checksum?: boolean | Checksum;
  /**
   * Whether to upload in parts. By default, everything larger than 16 MiB is. A stream that does
   * not end within its first part always is.
   */
  multipart?: boolean;
  /**
   * The size of the parts in bytes, at least 5 MiB. The default for streams is 8 MiB, which limits
   * them to about 78 GiB (10,000 parts); for everything else the broker chooses.
   */
  partSize?: number;
  /** How many parts are sent at a time; 4 by default. That many are in memory, and one more. */
  parallel?: number;

  /** A display name; the file stem by default. */
  name?: string;
  /** A note. */
  comments?: string;
  /** Stored by the broker; at most 2 KB in all. */
  metadata?: Record<string, string>;
  /** By default the type of the Blob, or derived from the extension by the broker. */
  contentType?: string;
  /** Whether a dataset at the path may be replaced; false by default. */
  overwrite?: boolean;
  /** Replace the dataset at the path only if it has this ETag. */
  ifMatch?: string;
  /** The tags of the object; at most ten. */
  tags?: Record<string, string>;
  /** The storage class of the object, such as `STANDARD_IA`. */
  storageClass?: string;
  /** Set on the object. */
  contentEncoding?: string;
  /** Set on the object. */
  contentDisposition?: string;
  /** Set on the object. */
  contentLanguage?: string;
  /** Set on the object. */
  cacheControl?: string;
  /** The lifetime of the session and its URLs in seconds. */
  expiresIn?: number;
  /** The upload that this dataset is made from. */
  derivedFrom?: string;
}

/** The largest upload in bytes that is sent in one request, if `multipart` is not given. */
export const SINGLE_LIMIT = 16 * 1024 * 1024;
/** The default size of the parts of a stream in bytes. */
export const STREAM_PART_SIZE = 8 * 1024 * 1024;
/** The default number of parts that are sent at a time. */
export const DEFAULT_PARALLEL = 4;

/** The fields of `POST /uploads` that do not depend on the bytes. */
export function describeUpload(options: UploadOptions, blobType: string): CreateUpload {
  const fields: CreateUpload = {
    path: options.path,
    name: options.name,
    comments: options.comments,
    metadata: options.metadata,
    content_type: options.contentType ?? (blobType || undefined),
    overwrite: options.overwrite,
    if_match: options.ifMatch,
    tags: options.tags,
    storage_class: options.storageClass,
    content_encoding: options.contentEncoding,
    content_disposition: options.contentDisposition,
    content_language: options.contentLanguage,
    cache_control: options.cacheControl,
    expires_in: options.expiresIn,
    derived_from: options.derivedFrom,
    checksum: typeof options.checksum === 'object' ? options.checksum : undefined,
  };
  return fields;
}
