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

/** Reads bytes in order. */
export interface Reader {
  /** The next `size` bytes; fewer only at the end. */
  read(size: number): Promise<Bytes>;
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
    return new PieceReader(piecesOf(source));
  }
  if (Symbol.asyncIterator in source) {
    return new PieceReader(source[Symbol.asyncIterator]());
  }
  throw new TypeError('Upload a Blob, a buffer, a stream or an asynchronous iterable of bytes');
}

/** Reads a Blob slice by slice, so that only the current slice is in memory. */
export class BlobReader implements Reader {
  #offset = 0;

  constructor(readonly blob: Blob) {}

  async read(size: number): Promise<Bytes> {
    const slice = this.blob.slice(this.#offset, this.#offset + size);
    const bytes = new Uint8Array(await slice.arrayBuffer());
    this.#offset += bytes.length;
    return bytes;
  }

  async cancel(): Promise<void> {}
}

/** Reads pieces of any length and joins them. */
class PieceReader implements Reader {
  #rest = new Uint8Array(0);

  constructor(readonly pieces: AsyncIterator<Uint8Array>) {}

  async read(size: number): Promise<Bytes> {
    const bytes = new Uint8Array(size);
    let length = 0;
    while (length < size) {
      if (this.#rest.length === 0) {
        const next = await this.pieces.next();
        if (next.done) {
          return bytes.slice(0, length);
        }
        if (!(next.value instanceof Uint8Array)) {
          throw new TypeError('The stream must consist of Uint8Array pieces');
        }
        this.#rest = next.value as Bytes;
      }
      const taken = this.#rest.subarray(0, size - length);
      bytes.set(taken, length);
      length += taken.length;
      this.#rest = this.#rest.subarray(taken.length);
    }
    return bytes;
  }

  async cancel(): Promise<void> {
    await this.pieces.return?.();
  }
}

/** The pieces of a stream. Not all browsers can iterate over a stream. */
async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let isDone = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        isDone = true;
        return;
      }
      yield value;
    }
  } finally {
    if (!isDone) {
      await reader.cancel().catch(() => undefined);
    }
    reader.releaseLock();
  }
}
