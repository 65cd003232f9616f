/**
 * The live stream of events. It is read with fetch, because `EventSource` cannot send a credential.
 *
 * | Fault | What happens |
 * |---|---|
 * | The connection breaks, or the broker stops | reconnects, and continues after the last event |
 * | The connection is silent for longer than the broker ever is | the same |
 * | The credential has ended | reconnects with the current one; the error 401 ends the stream |
 */
import { UnavailableError } from './errors.js';
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
  /** Only events of this type, or one of these, such as `dataset.uploaded`. */
  type?: string | string[];
  /** Continue after this position: the `cursor` of an event. */
  after?: string;
  /**
   * Is called when the database of the broker was restored: events may be missing or repeated, so
   * read the state of the uploads again. The stream goes on.
   */
  onReset?: () => void;
  /**
   * Is called when a connection is open, and when it has ended or broken: for a display of the
   * state. `cursor` is the position from which the next connection continues.
   */
  onConnection?: (isOpen: boolean, cursor: string) => void;
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
 * Yields events as they are committed, until the caller stops or the signal is aborted. Rejects
 * with a `BrokerError` if the broker refuses. While the broker is away, it reconnects without end.
 */
export async function* streamEvents(
  connection: Connection,
  options: EventsOptions = {},
): AsyncGenerator<StreamedEvent, void, undefined> {
  let position = options.after ?? '';
  let failures = 0;
  let retryMs: number | undefined;
  for (;;) {
    const parser = new SseParser();
    failures++;
    try {
      for await (const message of readMessages(connection, parser, position, options)) {
        failures = 1;
        if (message.event === 'reset') {
          options.onReset?.();
        } else if (message.event !== 'end') {
          yield { cursor: message.id, event: JSON.parse(message.data) as UploadEvent };
        }
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isTransient(error)) {
        throw error;
      }
      retryMs = error.retryAfterMs ?? retryMs;
    }
    if (parser.position) {
      position = parser.position;
      options.onConnection?.(false, position);
    }
    const wait = parser.retryMs ?? retryMs;
    retryMs = undefined;
    await sleep(delayAfter(Math.min(failures, 10), wait, connection.retry), options.signal);
  }
}

/** The messages of one connection. */
async function* readMessages(
  connection: Connection,
  parser: SseParser,
  position: string,
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
    const opening = connection.openEvents(pathOf(options), position, controller.signal);
    const response = await inTime(opening);
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    while (reader) {
      const { done, value } = await inTime(reader.read()).catch(asUnavailable);
      if (done) {
        return;
      }
      const isNew = parser.position === '';
      const messages = parser.push(decoder.decode(value, { stream: true }));
      // The broker sends a position first.
      if (isNew && parser.position) {
        options.onConnection?.(true, parser.position);
      }
      yield* messages;
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
  for (const one of [type ?? []].flat()) {
    query.append('type', one);
  }
  return `${query}` === '' ? '/events' : `/events?${query}`;
}
