/**
 * Uploads that an earlier page has left unfinished.
 */
import { effect, signal } from '@preact/signals';

import { sessionState } from '../../session/session.js';
import type { Found } from '../collect/found.js';
import { firstBytesOf } from '../memory/first-bytes.js';
import { openTabs, whenTabCloses } from '../memory/locks.js';
import { matchFile } from '../memory/match.js';
import { claimRecords, openDatabase, readRecords, writeRecords } from '../memory/records.js';
import type { UploadRecord } from '../memory/records.js';
import { addNewFiles, endSessions, newRowId, tab } from './uploads.js';

/** What is offered: uploads of pages that are closed. */
export const interrupted = signal<UploadRecord[]>([]);
/** Of these, the files have to be chosen again, because the browser cannot open them by itself. */
export const missing = signal<UploadRecord[]>([]);
/** What is wrong with files that were chosen for them. */
export const rejected = signal<string[]>([]);

type HandleWithPermission = FileSystemFileHandle & {
  queryPermission?: (options: { mode: 'read' }) => Promise<PermissionState>;
  requestPermission?: (options: { mode: 'read' }) => Promise<PermissionState>;
};

/** The pages whose end is awaited. */
const awaitedTabs = new Set<string>();
/** The tenant whose uploads are shown; null while no user is signed in. */
let shownTenant: string | null = null;

/**
 * Finds the interrupted uploads of a tenant. Those of a page that is still open are found when it
 * is closed: after a reload, the browser may need a moment to end the page before.
 */
export async function findInterrupted(tenant: string): Promise<void> {
  shownTenant = tenant;
  try {
    const records = await readRecords(await openDatabase(), tenant);
    const open = await openTabs();
    const others = records.filter((record) => record.tab !== tab);
    others.filter((record) => open.has(record.tab)).forEach((record) => awaitEnd(record.tab));
    if (shownTenant === tenant) {
      interrupted.value = others.filter((record) => !open.has(record.tab));
    }
  } catch {
    // Browsers without storage remember nothing.
    interrupted.value = [];
  }
}

function awaitEnd(other: string): void {
  if (awaitedTabs.has(other)) {
    return;
  }
  awaitedTabs.add(other);
  void whenTabCloses(other).then(() => {
    awaitedTabs.delete(other);
    return shownTenant === null ? undefined : findInterrupted(shownTenant);
  });
}

/**
 * Resumes what can be resumed. The browser asks for permission to open files again; those that it
 * cannot open are `missing` afterwards.
 */
export async function resumeInterrupted(): Promise<void> {
  const database = await openDatabase();
  const records = await claimRecords(database, interrupted.value, tab);
  interrupted.value = [];
  const opened = await openAll(records);
  const closed = records.filter((record) => !opened.some((one) => one.record === record));
  missing.value = [...missing.value, ...closed];
  for (const { record, file } of opened) {
    await takeFile(file, [record]);
  }
}

/** Resumes the uploads of files that the user has chosen again. */
export async function takeChosen(chunks: AsyncIterable<Found[]>): Promise<void> {
  rejected.value = [];
  for await (const chunk of chunks) {
    for (const { file } of chunk) {
      if (file) {
        await takeFile(file, missing.value);
      }
    }
  }
}

/** Forgets what is offered, and ends the sessions. */
export async function discardInterrupted(): Promise<void> {
  const records = [...interrupted.value, ...missing.value];
  interrupted.value = [];
  missing.value = [];
  rejected.value = [];
  endSessions(records.flatMap(({ uploadId }) => uploadId ?? []));
  const keys = records.map(({ key }) => key);
  await writeRecords(await openDatabase(), [], keys);
}

/** Shows nothing of a user who has signed out. The browser still remembers it. */
effect(() => {
  const state = sessionState.value;
  if (state.kind === 'signed-out' && state.reason === null) {
    shownTenant = null;
    interrupted.value = [];
    missing.value = [];
    rejected.value = [];
  }
});

async function openAll(records: UploadRecord[]): Promise<{ record: UploadRecord; file: File }[]> {
  const opened: { record: UploadRecord; file: File }[] = [];
  for (const record of records) {
    const file = record.handle && (await openAgain(record.handle));
    if (file) {
      opened.push({ record, file });
    } else if (record.handle) {
      // The user has refused, or the file is gone. Further questions would only be a nuisance.
      break;
    }
  }
  return opened;
}

async function openAgain(handle: HandleWithPermission): Promise<File | null> {
  try {
    const mode = { mode: 'read' } as const;
    if ((await handle.queryPermission?.(mode)) !== 'granted') {
      await handle.requestPermission?.(mode);
    }
    return await handle.getFile();
  } catch {
    return null;
  }
}

/** Adds a file to the queue if it is the one of a record. */
async function takeFile(file: File, records: UploadRecord[]): Promise<void> {
  const match = await matchFile(file, records, () => firstBytesOf(file));
  if (match.kind === 'same') {
    const { record } = match;
    missing.value = missing.value.filter((other) => other !== record);
    const { key, path, details, overwrite, firstBytes, handle } = record;
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const id = newRowId();
    addNewFiles([{ id, file, path, details, handle, key, firstBytes, overwrite }], folder);
    return;
  }
  if (match.kind === 'changed' && !missing.value.includes(match.record)) {
    missing.value = [...missing.value, match.record];
  }
  const reason = match.kind === 'changed' ? match.reason : 'none of them has this name';
  rejected.value = [...rejected.value, `${file.name} is not the interrupted file: ${reason}`];
}
