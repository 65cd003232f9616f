/**
 * Names for the types that are generated from `openapi.yaml`.
 */
import type { components } from './schema.js';

type Schemas = components['schemas'];

/** An upload session. `upload` returns it as the receipt: `verification` says what is proven. */
export type Upload = Schemas['Upload'];
/** A checksum in the form of S3: an algorithm and a base64 value. */
export type Checksum = Schemas['Checksum'];
/** An entry of a list: a dataset, or a folder if the list has a `delimiter`. */
export type Entry = Schemas['Entry'];
/** A dataset with all its attributes. */
export type DatasetDetail = Schemas['DatasetDetail'];
/** A pre-signed URL for a download, and its end. The URL is a credential. */
export type DownloadUrl = Schemas['Download'];
/** The work of one processor on one upload. */
export type Job = Omit<Schemas['Job'], 'options' | 'report'> & {
  /** The options of the rule that queued the job. */
  options: Record<string, unknown>;
  /** What the processor found; null before the job has ended. */
  report: Record<string, unknown> | null;
};
/** The text of one page of a document. */
export type TextOfPage = Schemas['TextOfPage'];
/** A page of a document that matches a search. */
export type SearchHit = Schemas['SearchHit'];
/** An error answer of the broker in the format of RFC 9457. */
export type Problem = Schemas['Problem'];
/** A part of an upload, with its pre-signed URL. */
export type Part = Schemas['Part'];
/** A part that S3 has. */
export type UploadedPart = Schemas['UploadedPart'];
/** The body of `POST /uploads`. */
export type CreateUpload = Schemas['CreateUpload'];
/** The body of an acknowledge request. */
export type Acknowledge = Schemas['Acknowledge'];
/** An entry of a batch of acknowledge requests. */
export type AcknowledgeOne = Schemas['AcknowledgeOne'];

/** An event of an upload: what happened, and the state of the upload at that time. */
export type UploadEvent = Omit<Schemas['Event'], 'data'> & {
  /** The state of the upload. The fields depend on the type of the event. */
  data: Record<string, unknown>;
};
