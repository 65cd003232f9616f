/**
 * What can be uploaded, and how its bytes are read in order.
 */

/**
 * What can be uploaded. A `Blob` (a `File` in browsers, the result of `openAsBlob` in Node) can be
 * read again, so that its upload can be resumed. A stream is read once, and its size is not known
 * in advance.
 */
export type UploadSource =
  | Blob
  | ArrayBuffer
  | ArrayBufferView<ArrayBuffer>
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

/** Bytes in memory, in a buffer that `fetch` accepts. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes to send: in memory, or a range of a Blob, of which nothing is read before it is needed. */
export type Content = Blob | Bytes;

/** The size in bytes. */
export function sizeOf(content: Content): number {
  return content instanceof Blob ? content.size : content.length;
}

/** Reads bytes in order. */
export interface Reader {
  /** The next `size` bytes; fewer only at the end. */
  read(size: number): Promise<Content>;
  /** Ends the reading early, and releases the source. */
  cancel(): Promise<void>;
}

/** The source as a Blob, if its bytes can be read again; otherwise a reader. */
export function openSource(source: UploadSource): Blob | Reader {
  if (source instanceof Blob) {
    return source;
  }
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
    return new Blob([source]);
  }
  if ('getReader' in source) {
    return new PieceReader(piecesOfStream(source));
  }
  if (Symbol.asyncIterator in source) {
    return new PieceReader(piecesOfIterable(source));
  }
  throw new TypeError('Upload a Blob, a buffer, a stream or an asynchronous iterable of bytes');
}

/** Reads a Blob range by range. */
export class BlobReader implements Reader {
  #offset = 0;

  constructor(readonly blob: Blob) {}

  async read(size: number): Promise<Blob> {
    const range = this.blob.slice(this.#offset, this.#offset + size);
    this.#offset += range.size;
    return range;
  }

  async cancel(): Promise<void> {}
}

/** Pieces of any length. */
interface Pieces {
  /** The next piece; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  cancel(): Promise<unknown>;
}

/** Joins pieces. */
class PieceReader implements Reader {
  #rest = new Uint8Array(0);

  constructor(readonly pieces: Pieces) {}

  async read(size: number): Promise<Bytes> {
    const bytes = new Uint8Array(size);
    let length = 0;
    while (length < size) {
      if (this.#rest.length === 0) {
        const next = await this.pieces.next();
        if (next === undefined) {
          return bytes.slice(0, length);
        }
        if (!(next instanceof Uint8Array)) {
          throw new TypeError('The stream must consist of Uint8Array pieces');
        }
        this.#rest = next as Bytes;
      }
      const taken = this.#rest.subarray(0, size - length);
      bytes.set(taken, length);
      length += taken.length;
      this.#rest = this.#rest.subarray(taken.length);
    }
    return bytes;
  }

  async cancel(): Promise<void> {
    await this.pieces.cancel();
  }
}

/** The pieces of a stream. Its own reader can be cancelled while it waits for bytes. */
function piecesOfStream(stream: ReadableStream<Uint8Array>): Pieces {
  const reader = stream.getReader();
  return {
    next: async () => (await reader.read()).value,
    cancel: () => reader.cancel(),
  };
}

function piecesOfIterable(iterable: AsyncIterable<Uint8Array>): Pieces {
  const iterator = iterable[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { done, value } = await iterator.next();
      return done ? undefined : value;
    },
    cancel: async () => iterator.return?.(),
  };
}
