/**
 * What became of datasets: jobs, the text of documents, and the search in it.
 */
import { dataOf } from './http/connection.js';
import type { Connection } from './http/connection.js';
import { allPages } from './http/pages.js';
import type { Job, SearchHit, TextOfPage } from './schema-types.js';

/** Which jobs to list. */
export interface JobsOptions {
  /** Only the jobs of this upload. The other options then have no effect. */
  uploadId?: string;
  /** Only jobs with this status. */
  status?: Job['status'];
  /** Only jobs of this processor. */
  processor?: string;
  signal?: AbortSignal;
}

/** Yields all jobs that match. */
export function listJobs(
  connection: Connection,
  options: JobsOptions = {},
): AsyncGenerator<Job, void, undefined> {
  const { uploadId, status, processor } = options;
  const signal = options.signal ?? null;
  return allPages(async (cursor) => {
    const answer =
      uploadId === undefined
        ? await connection.api.GET('/jobs', {
            params: { query: { status, processor, limit: 1000, cursor } },
            signal,
          })
        : await connection.api.GET('/uploads/{id}/jobs', {
            params: { path: { id: uploadId } },
            signal,
          });
    return { entries: dataOf(answer), response: answer.response };
  });
}

/** Which pages of a document to read. */
export interface TextOptions {
  /** Only this page, from 1. */
  page?: number;
  signal?: AbortSignal;
}

/** Yields the text of a document page by page. Pages that could not be read are left out. */
export function readText(
  connection: Connection,
  uploadId: string,
  options: TextOptions = {},
): AsyncGenerator<TextOfPage, void, undefined> {
  const { page, signal } = options;
  return allPages(async (cursor) => {
    const answer = await connection.api.GET('/uploads/{id}/text', {
      params: { path: { id: uploadId }, query: { page, cursor } },
      signal: signal ?? null,
    });
    return { entries: dataOf(answer).text, response: answer.response };
  });
}

/** Where and how much to search. */
export interface SearchOptions {
  /** Only paths with this prefix. */
  prefix?: string;
  /** The largest number of hits. */
  limit?: number;
  signal?: AbortSignal;
}

/** The pages of documents that match best. Their snippets are plain text, not HTML. */
export async function searchText(
  connection: Connection,
  words: string,
  options: SearchOptions = {},
): Promise<SearchHit[]> {
  const { prefix, limit, signal } = options;
  const answer = await connection.api.GET('/search', {
    params: { query: { q: words, prefix, limit } },
    signal: signal ?? null,
  });
  return dataOf(answer);
}
