/**
 * Web locks, by which the pages of a browser know of each other. The browser releases them when a
 * page is closed. Pages on plain http have none: two of them may send the same file, of which the
 * broker accepts one.
 */

const UPLOAD = 'upload-broker/upload/';
const TAB = 'upload-broker/tab/';

/** Runs an operation while no other page sends the same upload. */
export async function withUploadLock<T>(
  key: string,
  signal: AbortSignal,
  operation: () => Promise<T>,
): Promise<T> {
  if (!navigator.locks) {
    return operation();
  }
  return navigator.locks.request(UPLOAD + key, { signal }, operation);
}

/** Holds the lock of this page until it is closed. */
export function holdTab(tab: string): void {
  // The promise never resolves, and the lock ends with the page.
  void navigator.locks?.request(TAB + tab, () => new Promise(() => undefined)).catch(() => undefined);
}

/** The pages that are open. */
export async function openTabs(): Promise<Set<string>> {
  const held = (await navigator.locks?.query())?.held ?? [];
  const names = held.map(({ name }) => name ?? '').filter((name) => name.startsWith(TAB));
  return new Set(names.map((name) => name.slice(TAB.length)));
}

/** Waits until another page is closed. */
export async function whenTabCloses(tab: string): Promise<void> {
  await navigator.locks?.request(TAB + tab, () => undefined);
}
