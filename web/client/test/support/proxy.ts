/**
 * Proxies that make the network fail.
 */
import { createServer, request as sendRequest } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Fetch } from 'upload-broker-client';

/** What happens to a request. */
export type Fate =
  | 'pass'
  /** The connection is cut before the request is forwarded. */
  | 'cut'
  /** The request is forwarded, and the connection is cut instead of an answer. */
  | 'lose-answer'
  /** Half of the answer is sent, then the connection is cut. */
  | 'half-answer'
  /** The proxy answers 503 with `Retry-After: 1`. */
  | 'overloaded'
  /** The proxy answers like S3 when a URL has expired. */
  | 'expired';

/** A request as a rule sees it. */
export interface Seen {
  method: string;
  path: string;
}

/** A proxy in front of one server. */
export class FaultyProxy {
  /** All requests, in order, with what happened to them. */
  readonly seen: (Seen & { fate: Fate })[] = [];
  readonly #server: Server;

  private constructor(
    readonly target: URL,
    readonly rule: (request: Seen) => Fate,
  ) {
    this.#server = createServer((request, response) => this.#handle(request, response));
  }

  /** Starts a proxy. The rule decides about each request. */
  static async start(target: string, rule: (request: Seen) => Fate): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(new URL(target), rule);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const seen = { method: request.method ?? '', path: request.url ?? '' };
    const fate = this.rule(seen);
    this.seen.push({ ...seen, fate });
    if (fate === 'cut') {
      request.socket.destroy();
    } else if (fate === 'overloaded') {
      request.resume();
      response.writeHead(503, { 'retry-after': '1' }).end();
    } else if (fate === 'expired') {
      request.resume();
      response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
    } else {
      this.#forward(request, response, fate);
    }
  }

  #forward(request: IncomingMessage, response: ServerResponse, fate: Fate): void {
    const forwarded = sendRequest(
      {
        host: this.target.hostname,
        port: this.target.port,
        method: request.method,
        path: request.url,
        // The host is a part of the signature of a pre-signed URL.
        headers: { ...request.headers, host: this.target.host },
      },
      (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('end', () => {
          const body = Buffer.concat(pieces);
          if (fate === 'lose-answer') {
            request.socket.destroy();
            return;
          }
          const headers = { ...answer.headers, 'content-length': String(body.length) };
          delete headers['transfer-encoding'];
          response.writeHead(answer.statusCode ?? 500, headers);
          if (fate === 'half-answer') {
            response.write(body.subarray(0, body.length / 2), () => request.socket.destroy());
            return;
          }
          response.end(body);
        });
      },
    );
    forwarded.on('error', () => request.socket.destroy());
    request.on('error', () => forwarded.destroy());
    request.pipe(forwarded);
  }
}

/**
 * A `fetch` that sends the requests to the store through a proxy, which it starts with the first
 * one. The rule decides about each request to the store.
 */
export class StoreProxy {
  proxy: Promise<FaultyProxy> | undefined;
  /** The requests to the broker, such as `POST /uploads`, which do not go through the proxy. */
  readonly toBroker: string[] = [];

  constructor(
    readonly brokerUrl: string,
    readonly rule: (request: Seen) => Fate,
  ) {}

  readonly fetch: Fetch = async (url, init) => {
    if (url.startsWith(this.brokerUrl)) {
      this.toBroker.push(`${init?.method} ${new URL(url).pathname}`);
      return fetch(url, init);
    }
    const target = new URL(url);
    this.proxy ??= FaultyProxy.start(target.origin, this.rule);
    const proxy = await this.proxy;
    return fetch(proxy.url + target.pathname + target.search, init);
  };

  async stop(): Promise<void> {
    await (await this.proxy)?.stop();
  }
}
