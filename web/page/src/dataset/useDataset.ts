/**
 * Everything that is known about a dataset, kept up to date by the live events.
 */
import { batch, signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { BrokerError, dataOf } from 'upload-broker-client';
import type { components, DatasetDetail, Job, Upload, UploadEvent } from 'upload-broker-client';

import { useLive } from '../live/useLive.js';
import { hasScope } from '../session/principal.js';
import { endSessionIfRefused } from '../session/session.js';
import type { Session } from '../session/session.js';

/** A dataset that a job has written. */
export type ResultEntry = components['schemas']['ResultEntry'];

/** What is known; null before it was read, and where there is none. */
export interface DatasetState {
  detail: DatasetDetail | null;
  /** The upload of the dataset; if nothing stands at the path, the newest upload to it. */
  upload: Upload | null;
  events: UploadEvent[];
  jobs: Job[];
  results: ResultEntry[];
}

/** Progress of a job is no event. */
const POLL_MS = 2000;
const EMPTY: DatasetState = { detail: null, upload: null, events: [], jobs: [], results: [] };

/** A dataset, and how to read it again. */
export class DatasetModel {
  readonly state: Signal<DatasetState> = signal(EMPTY);
  readonly isLoaded = signal(false);
  readonly error = signal<unknown>(null);
  readonly #session: Session;
  #run = new AbortController();
  /** Whether something changed since the request that is on its way. */
  #isStale = false;
  #isLoading = false;

  constructor(session: Session, readonly path: string) {
    this.#session = session;
  }

  /** Reads everything, after what is being read. */
  async load(): Promise<void> {
    this.#isStale = this.#isLoading;
    if (this.#isLoading) {
      return;
    }
    this.#isLoading = true;
    try {
      await this.#attempt((signal) => this.#readAll(signal));
    } finally {
      this.#isLoading = false;
    }
    if (this.#isStale && !this.#run.signal.aborted) {
      await this.load();
    }
  }

  /** Reads the jobs alone, while one is running. */
  async loadJobs(): Promise<void> {
    const { upload } = this.state.value;
    if (upload && !this.#isLoading) {
      await this.#attempt(async (signal) => ({
        ...this.state.value,
        jobs: await this.#jobsOf(upload.id, signal),
      }));
    }
  }

  /** Stops reading. */
  stop(): void {
    this.#run.abort();
  }

  async #attempt(read: (signal: AbortSignal) => Promise<DatasetState>): Promise<void> {
    this.#run.abort();
    const { signal } = (this.#run = new AbortController());
    try {
      const state = await read(signal);
      signal.throwIfAborted();
      batch(() => {
        this.state.value = state;
        this.error.value = null;
        this.isLoaded.value = true;
      });
    } catch (error) {
      if (!signal.aborted && !endSessionIfRefused(error)) {
        this.error.value = error;
      }
    }
  }

  async #readAll(signal: AbortSignal): Promise<DatasetState> {
    const { client, principal } = this.#session;
    const detail = await client.getDataset(this.path, { signal }).catch((error: unknown) => {
      if (error instanceof BrokerError && error.code === 'dataset-not-found') {
        return null;
      }
      throw error;
    });
    if (!hasScope(principal, 'uploads:read')) {
      return { ...EMPTY, detail };
    }
    const upload = detail ? await this.#uploadOf(detail, signal) : await this.#newestUpload(signal);
    if (!upload) {
      return { ...EMPTY, detail };
    }
    const params = { path: { id: upload.id } };
    const [events, jobs] = await Promise.all([
      client.api.GET('/uploads/{id}/events', { params, signal }).then(dataOf),
      this.#jobsOf(upload.id, signal),
    ]);
    const hasResults = detail !== null && jobs.some((job) => job.outputs.length > 0);
    const results = hasResults
      ? dataOf(await client.api.GET('/uploads/{id}/results', { params, signal }))
      : [];
    return { detail, upload, events: events as UploadEvent[], jobs, results };
  }

  /**
   * The upload of the dataset. A failed one is not part of the dataset any more: the object names
   * the upload that wrote it.
   */
  async #uploadOf(detail: DatasetDetail, signal: AbortSignal): Promise<Upload | null> {
    const id = detail.upload?.id ?? detail.metadata['upload-id'];
    if (!id) {
      return null;
    }
    try {
      return await this.#session.client.getUpload(id, { signal });
    } catch (error) {
      // Another program can write any name.
      const isUnknown = error instanceof BrokerError && [404, 422].includes(error.status);
      if (isUnknown && !detail.upload) {
        return null;
      }
      throw error;
    }
  }

  async #newestUpload(signal: AbortSignal): Promise<Upload | null> {
    const query = { path: this.path, limit: 1 };
    const answer = await this.#session.client.api.GET('/uploads', { params: { query }, signal });
    return dataOf(answer)[0] ?? null;
  }

  async #jobsOf(uploadId: string, signal: AbortSignal): Promise<Job[]> {
    const jobs: Job[] = [];
    for await (const job of this.#session.client.jobs({ uploadId, signal })) {
      jobs.push(job);
    }
    return jobs;
  }
}

/** Reads a dataset, and keeps it up to date. */
export function useDataset(session: Session, path: string): DatasetModel {
  const model = useMemo(() => new DatasetModel(session, path), [session, path]);
  useEffect(() => {
    void model.load();
    return () => model.stop();
  }, [model]);
  useLive(
    session,
    (events) => {
      const id = model.state.value.upload?.id;
      if (events.some((event) => event.data.path === path || event.upload_id === id)) {
        void model.load();
      }
    },
    () => void model.load(),
  );
  const isRunning = model.state.value.jobs.some((job) => isOpen(job));
  useEffect(() => {
    if (!isRunning) {
      return;
    }
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') {
        void model.loadJobs();
      }
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [model, isRunning]);
  return model;
}

/** Whether the job is still going to change. */
export function isOpen({ status }: Job): boolean {
  return status === 'Queued' || status === 'Running';
}
