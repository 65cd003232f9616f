/**
 * The uploads of this page. They belong to no view: they go on while another view is shown, and
 * wait while the user signs in again. They end when the user signs out, or signs in to another
 * tenant.
 */
import { computed, effect, signal } from '@preact/signals';
import { randomKey } from 'upload-broker-client';

import { sessionState } from '../../session/session.js';
import type { Session } from '../../session/session.js';
import type { ErrorWords } from '../../words/errors.js';
import { count } from '../../words/numbers.js';
import type { Found } from '../collect/found.js';
import { joinPath } from '../collect/paths.js';
import { countOf, OPEN_STATES } from '../engine/messages.js';
import type { Access, Command, Details, NewFile, Question, Report, Totals } from '../engine/messages.js';
import { holdTab } from '../memory/locks.js';
import { RowList } from './rows.js';
import { describeRun } from './run-words.js';

/** The name of this page among those of the browser. */
export const tab = randomKey();

/** The rows; `rowsVersion` changes with them. */
export let rows = new RowList();
export const rowsVersion = signal(0);
/** The sums; null before the first file. */
export const totals = signal<Totals | null>(null);
/** The question about a path that is taken. */
export const question = signal<Question | null>(null);
/** Why the broker refuses the credential; null if it accepts it. */
export const credentialError = signal<ErrorWords | null>(null);
/** What is read from the disk at the moment; null if nothing. */
export const collecting = signal<{ found: number } | null>(null);
/** What could not be read. */
export const unreadable = signal<string[]>([]);
/** Why files cannot be sent at all, for example because the browser starts no worker. */
export const engineError = signal<string | null>(null);
/** What is announced to screen readers. */
export const announcement = signal('');

/** Whether files have not ended. */
export const hasOpenFiles = computed(
  () => collecting.value !== null || (totals.value !== null && countOf(totals.value, OPEN_STATES) > 0),
);

let worker: Worker | null = null;
let access: Access | null = null;
let nextId = 1;
/** What is being read, to stop it. */
const collections = new Set<AbortController>();

/** Sends a command to the engine. */
export function command(message: Command): void {
  worker?.postMessage(message);
}

/** Adds files to the queue while they are found. */
export async function addFiles(
  chunks: AsyncIterable<Found[]>,
  folder: string,
  details: Details,
): Promise<void> {
  const controller = new AbortController();
  collections.add(controller);
  let added = 0;
  collecting.value ??= { found: 0 };
  try {
    for await (const found of chunks) {
      if (controller.signal.aborted) {
        return;
      }
      const number = add(found, folder, details);
      added += number;
      collecting.value = { found: collecting.value.found + number };
    }
    announcement.value = `${count(added, 'file')} added`;
  } finally {
    collections.delete(controller);
    if (collections.size === 0) {
      collecting.value = null;
    }
  }
}

function add(found: Found[], folder: string, details: Details): number {
  const readable = found.filter((one) => one.file !== null);
  const lost = found.filter((one) => one.file === null).map(({ relativePath }) => relativePath);
  if (lost.length > 0) {
    unreadable.value = [...unreadable.value, ...lost];
  }
  const files = readable.map(({ file, relativePath, handle }) => ({
    id: nextId++,
    file: file!,
    path: joinPath(folder, relativePath),
    details,
    handle,
  }));
  addNewFiles(files, folder);
  return files.length;
}

/** Adds files whose paths are known. */
export function addNewFiles(files: NewFile[], folder: string): void {
  if (!start()) {
    return;
  }
  rows.add(files, folder);
  rowsVersion.value++;
  command({ kind: 'add', files });
}

/** A number for a row. */
export function newRowId(): number {
  return nextId++;
}

/** Cancels all files, also those that have not been found yet. */
export function cancelAll(): void {
  stopCollections();
  command({ kind: 'cancel', target: 'all' });
}

function stopCollections(): void {
  collections.forEach((controller) => controller.abort());
}

/** Ends sessions that nothing will use. */
export function endSessions(uploadIds: string[]): void {
  if (uploadIds.length > 0 && start()) {
    command({ kind: 'discard', uploadIds });
  }
}

/** Removes the rows that have ended, other than failed ones. */
export function clearEnded(): void {
  rows.clearEnded();
  rowsVersion.value++;
  command({ kind: 'clear' });
}

/** Starts the engine, if it does not run. Returns whether it runs. */
function start(): boolean {
  if (worker || !access) {
    return worker !== null;
  }
  try {
    worker = new Worker(new URL('../engine/worker.ts', import.meta.url), { type: 'module' });
  } catch (error) {
    engineError.value = `This browser cannot start the upload worker: ${String(error)}`;
    return false;
  }
  worker.addEventListener('error', ({ message }) => {
    engineError.value = `The upload worker has failed: ${message || 'its program cannot be loaded'}`;
  });
  worker.addEventListener('message', ({ data }: MessageEvent<Report>) => receive(data));
  command({ kind: 'access', access, tab });
  holdTab(tab);
  return true;
}

function receive(report: Report): void {
  switch (report.kind) {
    case 'changed':
      rows.apply(report.rows);
      rowsVersion.value++;
      totals.value = report.totals;
      break;
    case 'question':
      question.value = report.question;
      break;
    case 'credential-refused':
      credentialError.value = report.error;
      break;
    case 'ended':
      announcement.value = describeRun(report.result);
      break;
  }
}

/** Ends everything. What has not ended can be resumed after the next sign-in. */
function stop(): void {
  stopCollections();
  worker?.terminate();
  worker = null;
  access = null;
  rows = new RowList();
  rowsVersion.value++;
  totals.value = null;
  question.value = null;
  credentialError.value = null;
  unreadable.value = [];
  announcement.value = '';
}

function useSession({ credential, principal }: Session): void {
  if (access && access.limits.tenant !== principal.tenant) {
    stop();
  }
  const { tenant, max_size: maxSize, content_types: contentTypes } = principal;
  const limits = { tenant, maxSize: maxSize ?? null, contentTypes: contentTypes ?? null };
  access = { url: location.origin, credential, limits };
  credentialError.value = null;
  command({ kind: 'access', access, tab });
}

effect(() => {
  const state = sessionState.value;
  if (state.kind === 'signed-in') {
    useSession(state.session);
  } else if (state.kind === 'signed-out' && state.reason === null && access) {
    stop();
  }
});
