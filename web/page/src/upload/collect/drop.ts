/**
 * Reads files and folders that were dropped. Handles are preferred, because a file of a handle can
 * be opened again after a reload; entries are the way of browsers without them.
 */
import { CHUNK, openHandle, pause } from './found.js';
import type { Found } from './found.js';

/** A handle whose `kind` says which one it is. */
type AnyHandle = FileSystemFileHandle | FileSystemDirectoryHandle;

/** One dropped item, in the forms in which the browser offers it. */
interface Dropped {
  handle: Promise<AnyHandle | null>;
  entry: FileSystemEntry | null;
  file: File | null;
}

type DroppedItem = DataTransferItem & {
  getAsFileSystemHandle?: () => Promise<AnyHandle | null>;
};

/**
 * Takes the files out of an event. Call it in the handler of the event: the items are gone later.
 */
export function takeDropped(transfer: DataTransfer): AsyncGenerator<Found[]> {
  const items = Array.from(transfer.items).filter(({ kind }) => kind === 'file') as DroppedItem[];
  const dropped = items.map((item): Dropped => ({
    handle: item.getAsFileSystemHandle?.().catch(() => null) ?? Promise.resolve(null),
    entry: item.webkitGetAsEntry?.() ?? null,
    file: item.getAsFile(),
  }));
  return inChunks(filesOf(dropped));
}

async function* filesOf(dropped: Dropped[]): AsyncGenerator<Found[]> {
  for (const item of dropped) {
    const handle = await item.handle;
    if (handle) {
      yield* inHandle(handle, handle.name);
    } else if (item.entry) {
      yield* inEntry(item.entry);
    } else if (item.file) {
      yield [{ file: item.file, relativePath: item.file.name }];
    }
  }
}

async function* inHandle(handle: AnyHandle, path: string): AsyncGenerator<Found[]> {
  if (handle.kind === 'file') {
    yield [await openHandle(handle, path)];
    return;
  }
  const files: FileSystemFileHandle[] = [];
  const folders: FileSystemDirectoryHandle[] = [];
  const open = () => Promise.all(files.splice(0).map((file) => openHandle(file, `${path}/${file.name}`)));
  try {
    for await (const child of handle.values() as AsyncIterable<AnyHandle>) {
      if (child.kind === 'directory') {
        folders.push(child);
      } else if (files.push(child) === CHUNK) {
        yield await open();
      }
    }
  } catch {
    yield [{ file: null, relativePath: `${path}/` }];
  }
  yield await open();
  for (const folder of folders) {
    yield* inHandle(folder, `${path}/${folder.name}`);
  }
}

async function* inEntry(entry: FileSystemEntry): AsyncGenerator<Found[]> {
  if (entry.isFile) {
    yield [await openEntry(entry as FileSystemFileEntry)];
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const folders: FileSystemEntry[] = [];
  try {
    // One call returns at most 100 entries; an empty answer is the end.
    for (;;) {
      const entries = await new Promise<FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject),
      );
      if (entries.length === 0) {
        break;
      }
      folders.push(...entries.filter(({ isDirectory }) => isDirectory));
      const files = entries.filter(({ isFile }) => isFile) as FileSystemFileEntry[];
      yield await Promise.all(files.map(openEntry));
    }
  } catch {
    yield [{ file: null, relativePath: `${entry.fullPath}/` }];
  }
  for (const folder of folders) {
    yield* inEntry(folder);
  }
}

async function openEntry(entry: FileSystemFileEntry): Promise<Found> {
  const file = await new Promise<File | null>((resolve) => entry.file(resolve, () => resolve(null)));
  return { file, relativePath: entry.fullPath.replace(/^\//, '') };
}

/** Joins small groups, so that many small folders do not become many messages. */
async function* inChunks(groups: AsyncGenerator<Found[]>): AsyncGenerator<Found[]> {
  let chunk: Found[] = [];
  let last = performance.now();
  for await (const group of groups) {
    chunk.push(...group);
    if (chunk.length >= CHUNK || performance.now() - last > 100) {
      yield chunk;
      chunk = [];
      await pause();
      last = performance.now();
    }
  }
  if (chunk.length > 0) {
    yield chunk;
  }
}
