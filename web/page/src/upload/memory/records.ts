/**
 * What the browser remembers of uploads that have not ended, in IndexedDB.
 */
import type { Details } from '../engine/messages.js';

/** An upload that has not ended. */
export interface UploadRecord {
  /** The idempotency key: with it, the broker finds the session again. */
  key: string;
  tenant: string;
  /** The page that sends it. The page holds a lock of this name while it is open. */
  tab: string;
  path: string;
  fileName: string;
  size: number;
  lastModified: number;
  /** The checksum of the first bytes of a large file, once it was read. */
  firstBytes?: string | undefined;
  details: Details;
  overwrite: boolean;
  /** The session of a large file, once there is one. */
  uploadId?: string | undefined;
  /** With it, the file can be opened without the user. */
  handle?: FileSystemFileHandle | undefined;
}

const DATABASE = 'upload-broker';
const STORE = 'uploads';

/** Opens the database. */
export function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(STORE, { keyPath: 'key' }).createIndex('tenant', 'tenant');
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Writes and removes records in one transaction. */
export function writeRecords(
  database: IDBDatabase,
  records: Iterable<UploadRecord>,
  removedKeys: Iterable<string>,
): Promise<void> {
  const transaction = database.transaction(STORE, 'readwrite');
  const store = transaction.objectStore(STORE);
  for (const key of removedKeys) {
    store.delete(key);
  }
  for (const record of records) {
    store.put(record);
  }
  return endOf(transaction);
}

/** The records of a tenant. */
export function readRecords(database: IDBDatabase, tenant: string): Promise<UploadRecord[]> {
  const store = database.transaction(STORE).objectStore(STORE);
  return resultOf(store.index('tenant').getAll(tenant));
}

/**
 * Makes records those of another page. Returns the ones that this page has got: another page may
 * have been faster.
 */
export async function claimRecords(
  database: IDBDatabase,
  wanted: UploadRecord[],
  tab: string,
): Promise<UploadRecord[]> {
  const transaction = database.transaction(STORE, 'readwrite');
  const store = transaction.objectStore(STORE);
  const claimed: UploadRecord[] = [];
  for (const record of wanted) {
    const found = store.get(record.key) as IDBRequest<UploadRecord | undefined>;
    found.onsuccess = () => {
      if (found.result?.tab === record.tab) {
        const mine = { ...found.result, tab };
        store.put(mine);
        claimed.push(mine);
      }
    };
  }
  await endOf(transaction);
  return claimed;
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function endOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}
