/**
 * Parses server-sent events, as the HTML standard defines the format.
 */

/** A message of a stream. */
export interface SseMessage {
  /** The last `id` of the stream so far; empty if there was none. */
  id: string;
  /** The value of `event`; `message` if there was none. */
  event: string;
  /** The lines of `data`, joined by line feeds. */
  data: string;
}

/** Collects the text of a stream, in pieces of any length, into messages. */
export class SseParser {
  /** The delay that the server asked for before a reconnection, in milliseconds. */
  retryMs: number | undefined;
  /** The position after everything that was received whole, even without data; empty at first. */
  position = '';
  #rest = '';
  #id = '';
  #event = '';
  #data: string[] = [];

  /** Adds text. Returns the messages that it completes. */
  push(text: string): SseMessage[] {
    const messages: SseMessage[] = [];
    this.#rest += text;
    // A carriage return at the end may be the first half of a line end.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = this.#line(line);
      if (message) {
        messages.push(message);
      }
    }
    return messages;
  }

  #line(line: string): SseMessage | undefined {
    if (line === '') {
      return this.#dispatch();
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') {
      this.#data.push(value);
    } else if (field === 'event') {
      this.#event = value;
    } else if (field === 'id' && !value.includes('\0')) {
      this.#id = value;
    } else if (field === 'retry' && /^\d+$/.test(value)) {
      this.retryMs = Number(value);
    }
    return undefined;
  }

  #dispatch(): SseMessage | undefined {
    const [event, data] = [this.#event || 'message', this.#data];
    this.position = this.#id;
    this.#event = '';
    this.#data = [];
    return data.length === 0 ? undefined : { id: this.#id, event, data: data.join('\n') };
  }
}
