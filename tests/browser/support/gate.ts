/**
 * A gate for TCP connections in front of a server. It makes the network fail below HTTP, as a cable or
 * a mobile network does. The offline mode of the browser cannot do that: it leaves open streams alone.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A gate. It is open at first. */
export class Gate {
  /** The bytes that the clients have sent so far. */
  received = 0;
  /** The speed of each connection from the client to the server in bytes per second. */
  speed = Infinity;
  readonly #open = new Set<Socket>();
  readonly #server: Server;
  #isClosed = false;
  #cuts: number[] = [];

  private constructor(readonly target: URL) {
    // A client that has sent everything still waits for the answer.
    const options = { allowHalfOpen: true, noDelay: true };
    this.#server = createServer(options, (client) => this.#accept(client));
  }

  /** Starts a gate in front of the server at this URL. */
  static async start(target: string): Promise<Gate> {
    const gate = new Gate(new URL(target));
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    return gate;
  }

  /** A rule for `--host-resolver-rules`: the browser reaches the server through the gate. */
  get rule(): string {
    return `MAP ${this.target.host} 127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Cuts all connections, and each new one. */
  close(): void {
    this.#isClosed = true;
    this.cut();
  }

  /** Lets connections pass again. */
  open(): void {
    this.#isClosed = false;
  }

  /** Cuts all open connections. */
  cut(): void {
    for (const socket of this.#open) {
      socket.resetAndDestroy();
    }
  }

  /**
   * Cuts all open connections when the clients have sent this many more bytes, then again after the
   * next number. A single cut can go unnoticed: Chromium repeats a request by itself if the connection
   * had been used before, and for a request of another origin the preflight request has used it.
   */
  cutAfter(...bytes: number[]): void {
    this.#cuts = bytes;
  }

  /** Waits until nothing is sent: the bytes of ended requests stay in the buffers of connections for a while. */
  async idle(): Promise<void> {
    for (let before = -1; before !== this.received; ) {
      before = this.received;
      await pause(300);
    }
  }

  async stop(): Promise<void> {
    this.close();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#isClosed) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({
      host: this.target.hostname,
      port: Number(this.target.port),
      allowHalfOpen: true,
      noDelay: true,
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#open.delete(one);
        other.destroy();
      });
    }
    server.pipe(client);
    this.#forward(client, server);
  }

  #isCutNow(received: number): boolean {
    const [left, ...later] = this.#cuts;
    if (left === undefined) {
      return false;
    }
    this.#cuts = received < left ? [left - received, ...later] : later;
    return received >= left;
  }

  /** Forwards what the client sends, not faster than the gate allows. */
  #forward(client: Socket, server: Socket): void {
    let due = performance.now();
    client.on('data', (piece) => {
      this.received += piece.length;
      if (this.#isCutNow(piece.length)) {
        this.cut();
        return;
      }
      const isFull = !server.write(piece);
      due = Math.max(due, performance.now()) + (piece.length / this.speed) * 1000;
      const delay = due - performance.now();
      if (isFull || delay > 2) {
        client.pause();
        const drained = isFull ? once(server, 'drain') : Promise.resolve();
        const paced = new Promise((resolve) => setTimeout(resolve, Math.max(0, delay)));
        Promise.all([drained, paced]).then(
          () => client.resume(),
          () => client.destroy(),
        );
      }
    });
    client.on('end', () => server.end());
  }
}
