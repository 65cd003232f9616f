/**
 * Remembers the uploads of the engine. Writes are collected for a moment: what ends at once is
 * never written. If the browser has no storage, uploads work, and are forgotten with the page.
 */
import type { Row } from '../engine/row.js';
import { openDatabase, writeRecords } from './records.js';
import type { UploadRecord } from './records.js';

/** How long writes are collected, in milliseconds. */
const DELAY = 300;

/** The memory, as the engine uses it. */
export interface Memory {
  /** Says whose uploads these are. */
  open(tenant: string, tab: string): void;
  /** Remembers rows, or what is new of them. */
  remember(rows: Row[]): void;
  /** Forgets an upload that has ended. */
  forget(key: string): void;
}

/** The memory of this browser. */
export function openMemory(): Memory {
  const database = openDatabase().catch(() => null);
  const changed = new Map<string, Row>();
  const removed = new Set<string>();
  const written = new Set<string>();
  let owner = { tenant: '', tab: '' };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  const write = async (records: UploadRecord[], keys: string[]) => {
    const opened = await database;
    // A full disk does not stop the uploads.
    await (opened && writeRecords(opened, records, keys).catch(() => undefined));
  };
  const flush = () => {
    timer = undefined;
    const records = [...changed].map(([key, row]) => recordOf(key, row, owner));
    const keys = [...removed];
    records.forEach(({ key }) => written.add(key));
    keys.forEach((key) => written.delete(key));
    changed.clear();
    removed.clear();
    writing = writing.then(() => write(records, keys));
  };
  const schedule = () => (timer ??= setTimeout(flush, DELAY));

  return {
    open: (tenant, tab) => (owner = { tenant, tab }),
    remember: (rows) => {
      rows.forEach((row) => {
        changed.set(row.key, row);
        removed.delete(row.key);
        if (row.isStored) {
          written.add(row.key);
        }
      });
      schedule();
    },
    forget: (key) => {
      changed.delete(key);
      if (written.has(key)) {
        removed.add(key);
        schedule();
      }
    },
  };
}

function recordOf(key: string, row: Row, owner: { tenant: string; tab: string }): UploadRecord {
  const { file, path, details, overwrite, firstBytes, session, handle } = row;
  const { name: fileName, size, lastModified } = file;
  const uploadId = session?.multipart ? session.id : undefined;
  return {
    key,
    ...owner,
    path,
    fileName,
    size,
    lastModified,
    firstBytes,
    details,
    overwrite,
    uploadId,
    handle,
  };
}
