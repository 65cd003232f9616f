/**
 * Files that were found in what the user has dropped or chosen.
 */

/** A file, and its path below the folder in which it was dropped or chosen. */
export interface Found {
  relativePath: string;
  /** Null if it cannot be read. */
  file: File | null;
  handle?: FileSystemFileHandle | undefined;
}

/** How many files are handed over at a time. */
export const CHUNK = 200;

/** Lets the page react before the next files are handed over. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** The files of an input element, in chunks. */
export async function* foundInList(list: FileList | File[]): AsyncGenerator<Found[]> {
  for (let start = 0; start < list.length; start += CHUNK) {
    const files = Array.prototype.slice.call(list, start, start + CHUNK) as File[];
    yield files.map((file) => ({ file, relativePath: file.webkitRelativePath || file.name }));
    await pause();
  }
}

/** Files that were opened with handles. */
export async function* foundInHandles(handles: FileSystemFileHandle[]): AsyncGenerator<Found[]> {
  for (let start = 0; start < handles.length; start += CHUNK) {
    const chunk = handles.slice(start, start + CHUNK);
    yield await Promise.all(chunk.map((handle) => openHandle(handle, handle.name)));
    await pause();
  }
}

/** The file of a handle. */
export async function openHandle(
  handle: FileSystemFileHandle,
  relativePath: string,
): Promise<Found> {
  const file = await handle.getFile().catch(() => null);
  return { file, relativePath, handle };
}
