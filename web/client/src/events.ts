/**
 * The live stream of events. It is read with fetch, because `EventSource` cannot send a credential.
 *
 * | Fault | What happens |
 * |---|---|
 * | The connection breaks, or the broker restarts | reconnects after a back-off, and continues after the last event |
 * | The connection is silent for longer than the heartbeats of the broker allow | the same |
 * | The credential has ended | reconnects with the current one; the error 401 ends the stream |
 */
import { BrokerError, UnavailableError } from './errors.js';
import type { Connection } from './http/connection.js';
import { delayAfter, isTransient } from './http/retry.js';
import { sleep, withTimeLimit } from './http/signals.js';
import type { UploadEvent } from './schema-types.js';
import { SseParser } from './sse.js';
import type { SseMessage } from './sse.js';

/** Which events to read. */
export interface EventsOptions {
  /** Only the events of this upload; by default those of the tenant. */
  uploadId?: string;
  /** Only events of paths with this prefix. */
  prefix?: string;
  /** Only events of this type, such as `dataset.uploaded`. */
  type?: string;
  /** Continue after this position: the `cursor` of an event. */
  after?: string;
  /** Ends the stream; it then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** A connection that is silent for longer is replaced, in milliseconds; 45 seconds by default. */
  silenceMs?: number;
}

/** An event, and its position in the stream. */
export interface StreamedEvent {
  /** Pass it as `after` to continue after this event. */
  cursor: string;
  event: UploadEvent;
}

/**
 * Yields events as they are committed, until the caller stops or the signal is aborted. Rejects with
 * a `BrokerError` if the broker refuses. While the broker is away, it reconnects without end.
 */
export async function* streamEvents(
  connection: Connection,
  options: EventsOptions = {},
): AsyncGenerator<StreamedEvent, void, undefined> {
  let cursor = options.after ?? '';
  let failures = 0;
  let retryMs: number | undefined;
  for (;;) {
    try {
      const parser = new SseParser();
      for await (const message of readMessages(connection, parser, cursor, options)) {
        failures = 0;
        cursor = message.id || cursor;
        yield { cursor, event: JSON.parse(message.data) as UploadEvent };
      }
      retryMs = parser.retryMs ?? retryMs;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isTransient(error)) {
        throw error;
      }
      retryMs = error instanceof BrokerError ? error.retryAfterMs : retryMs;
    }
    failures++;
    const delay = delayAfter(Math.min(failures, 10), retryMs, connection.retry);
    await sleep(delay, options.signal);
  }
}

/** The messages of one connection. */
async function* readMessages(
  connection: Connection,
  parser: SseParser,
  cursor: string,
  options: EventsOptions,
): AsyncGenerator<SseMessage, void, undefined> {
  const controller = new AbortController();
  const abort = () => controller.abort(options.signal?.reason);
  options.signal?.throwIfAborted();
  options.signal?.addEventListener('abort', abort);
  const silence = options.silenceMs ?? 45_000;
  const inTime = <T>(promise: Promise<T>) =>
    withTimeLimit(silence, options.signal, (limit) => {
      limit.addEventListener('abort', () => controller.abort(limit.reason));
      return promise;
    });
  try {
    const response = await inTime(
      connection.openEvents(pathOf(options), cursor, controller.signal),
    );
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    while (reader) {
      const { done, value } = await inTime(reader.read()).catch(asUnavailable);
      if (done) {
        return;
      }
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    options.signal?.removeEventListener('abort', abort);
    controller.abort();
  }
}

function asUnavailable(error: unknown): never {
  throw isTransient(error) ? error : new UnavailableError('The stream broke', { cause: error });
}

function pathOf({ uploadId, prefix, type }: EventsOptions): string {
  if (uploadId !== undefined) {
    return `/uploads/${encodeURIComponent(uploadId)}/events`;
  }
  const query = new URLSearchParams();
  if (prefix !== undefined) {
    query.set('prefix', prefix);
  }
  if (type !== undefined) {
    query.set('type', type);
  }
  return query.size === 0 ? '/events' : `/events?${query}`;
}
