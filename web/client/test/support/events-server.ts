/**
 * A small server of events that behaves as the contract says: one answer per connection.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { UploadEvent } from 'upload-broker-client';

/** What happens to the connections, in order. The last one serves all further ones. */
export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A running server. */
export class EventsServer {
  readonly requests: {
    url: string;
    lastEventId: string | undefined;
    accept: string | undefined;
  }[] = [];
  readonly authorizations: (string | undefined)[] = [];
  /** The number of connections that the client has closed. */
  closed = 0;
  readonly #server = createServer((request, response) => {
    this.requests.push({
      url: request.url ?? '',
      lastEventId: request.headers['last-event-id'] as string | undefined,
      accept: request.headers.accept,
    });
    this.authorizations.push(request.headers.authorization);
    response.on('close', () => (this.closed += 1));
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    answer?.(response, request);
  });

  private constructor(readonly answers: Answer[]) {}

  static async start(...answers: Answer[]): Promise<EventsServer> {
    const server = new EventsServer(answers);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** An event with this sequence number. */
export function eventOf(sequence: number): UploadEvent {
  return {
    id: `01955114-5596-7b1a-8c54-00000000000${sequence}`,
    upload_id: '01955114-3a40-7c3e-9d2b-8f1f5f0c2a11',
    sequence,
    type: 'dataset.uploaded',
    time: '2025-03-01T10:00:00.000Z',
    data: { path: '/data/größe.csv' },
    published_at: null,
    undeliverable_at: null,
  };
}

/** The event as it is sent, after a heartbeat. */
export function wireOf(sequence: number): string {
  return `: heartbeat\n\nid: c${sequence}\ndata: ${JSON.stringify(eventOf(sequence))}\n\n`;
}

/** Opens a stream with these events, and leaves it open. */
export function openWith(...sequences: number[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sequences.map(wireOf).join(''));
  };
}

/** Sends these events, and ends the stream. */
export function endAfter(...sequences: number[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(sequences.map(wireOf).join(''));
  };
}
