/**
 * The connection to the broker: authorization, time limits, retries and typed errors of all
 * requests.
 */
import createClient from 'openapi-fetch';
import type { Client } from 'openapi-fetch';

import { UnavailableError } from '../errors.js';
import type { paths } from '../schema.js';
import { fillPath } from './paths.js';
import { errorOf } from './problem.js';
import { DEFAULT_RETRY, retry } from './retry.js';
import type { RetryOptions } from './retry.js';
import { withTimeLimit } from './signals.js';

/** An API key, a JWT or an upload token, or a function that returns the current one. */
export type Credential = string | (() => string | Promise<string>);

/** A function with the signature of `fetch`. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** How to reach the broker. */
export interface ConnectionOptions {
  /**
   * The URL of the broker, such as `https://uploads.example.com`. It may have a path, such as
   * `/t/TOKEN` for an upload token in the path. In a browser it may be only a path.
   */
  url: string;
  /** The credential; without one, requests have no `Authorization` header. */
  credential?: Credential | undefined;
  /** Replaces the global `fetch`, for example to add a proxy. */
  fetch?: Fetch | undefined;
  /** Replaces parts of the default retries. */
  retry?: Partial<RetryOptions> | undefined;
  /** The time limit of one request to the broker in milliseconds; one minute by default. */
  timeoutMs?: number | undefined;
}

/**
 * POST requests that can be repeated without an `Idempotency-Key`: the second has no further
 * effect.
 */
const REPEATABLE = /\/(acknowledge|parts|cancel|extend)(\?|$)/;

/** A broker, as the functions of this package use it. */
export class Connection {
  /** The typed operations of `openapi.yaml`. They reject with the errors of this package. */
  readonly api: Client<paths, 'application/json'>;
  /** How requests are retried. */
  readonly retry: RetryOptions;
  /** The `fetch` of all requests, also of those to the store. */
  readonly fetch: Fetch;
  readonly #options: ConnectionOptions;
  readonly #url: string;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#url = options.url.replace(/\/+$/, '');
    this.retry = { ...DEFAULT_RETRY, ...options.retry };
    this.fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
    this.api = createClient<paths, 'application/json'>({
      baseUrl: this.#url,
      fetch: (request: Request) => this.#send(request),
      pathSerializer: fillPath,
    });
  }

  /** A connection that differs in its retries. */
  withRetry(retry: Partial<RetryOptions>): Connection {
    return new Connection({ ...this.#options, retry: { ...this.retry, ...retry } });
  }

  /**
   * Opens a stream of server-sent events: one attempt, without a time limit for the body.
   * Rejects with the errors of this package.
   */
  async openEvents(path: string, lastEventId: string, signal?: AbortSignal): Promise<Response> {
    const headers = await this.#authorize(new Headers({ accept: 'text/event-stream' }));
    if (lastEventId) {
      headers.set('last-event-id', lastEventId);
    }
    const init: RequestInit = { headers, cache: 'no-store', signal: signal ?? null };
    const response = await this.#fetchOrUnavailable(this.#url + path, init);
    if (!response.ok) {
      throw await errorOf(response);
    }
    return response;
  }

  async #send(request: Request): Promise<Response> {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const body = isRead ? null : (await request.text()) || null;
    const isRepeatable =
      request.method !== 'POST' ||
      request.headers.has('idempotency-key') ||
      REPEATABLE.test(request.url);
    const attempt = () => this.#attempt(request, body);
    return isRepeatable ? retry(this.retry, request.signal, attempt) : attempt();
  }

  /** Sends a request once and reads the whole answer, which is small. */
  async #attempt(request: Request, body: string | null): Promise<Response> {
    const headers = await this.#authorize(new Headers(request.headers));
    const limit = this.#options.timeoutMs ?? 60_000;
    return withTimeLimit(limit, request.signal, async (signal) => {
      const init: RequestInit = { method: request.method, headers, body, signal };
      const response = await this.#fetchOrUnavailable(request.url, init);
      const content = await response.arrayBuffer().catch((error: unknown) => {
        throw new UnavailableError('The broker did not send its whole answer', { cause: error });
      });
      const complete = new Response(content.byteLength === 0 ? null : content, response);
      if (!complete.ok) {
        throw await errorOf(complete);
      }
      return complete;
    });
  }

  async #fetchOrUnavailable(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.fetch(url, init);
    } catch (error) {
      init.signal?.throwIfAborted();
      throw new UnavailableError('The broker does not answer', { cause: error });
    }
  }

  async #authorize(headers: Headers): Promise<Headers> {
    const { credential } = this.#options;
    const value = typeof credential === 'function' ? await credential() : credential;
    if (value) {
      headers.set('authorization', `Bearer ${value}`);
    }
    return headers;
  }
}

/** The data of an answer, which is there because all errors are thrown. */
export function dataOf<T>(answer: { data?: T }): T {
  if (answer.data === undefined) {
    throw new Error('The answer has no content');
  }
  return answer.data;
}
