/**
 * Files for the browser to upload.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const MIB = 1024 * 1024;
/** Is written again and again: large files cost no computation, but no piece is all zeros. */
const PIECE = Buffer.from(Array.from({ length: MIB }, (_, index) => index % 251));

/** A folder for files, which a test removes at the end. */
export class Files {
  private constructor(readonly folder: string) {}

  static async make(): Promise<Files> {
    return new Files(await mkdtemp(join(tmpdir(), 'upload-broker-files-')));
  }

  /** Writes a file with this text, and returns its path. */
  async text(name: string, text: string): Promise<string> {
    const path = await this.#place(name);
    await writeFile(path, text);
    return path;
  }

  /** Writes a file of this size, in which each MiB starts with its number, and returns its path. */
  async sized(name: string, size: number): Promise<string> {
    const path = await this.#place(name);
    const file = await open(path, 'w');
    const piece = Buffer.from(PIECE);
    for (let offset = 0; offset < size; offset += MIB) {
      piece.writeUInt32BE(offset / MIB);
      await file.write(piece, 0, Math.min(MIB, size - offset));
    }
    await file.close();
    return path;
  }

  /** Makes a file of this size that takes no room on the disk, and returns its path. */
  async sparse(name: string, size: number): Promise<string> {
    const path = await this.#place(name);
    const file = await open(path, 'w');
    await file.truncate(size);
    await file.close();
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async #place(name: string): Promise<string> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    return path;
  }
}

/** The SHA-256 of a file, in hexadecimal digits. */
export async function digestOfFile(path: string): Promise<string> {
  return digest(createReadStream(path));
}

/** The SHA-256 of what a request returns. */
export async function digestOfBody(response: Response): Promise<string> {
  return digest(response.body as unknown as AsyncIterable<Uint8Array>);
}

async function digest(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) {
    hash.update(piece);
  }
  return hash.digest('hex');
}
