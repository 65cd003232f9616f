/**
 * Whether an upload has arrived, as the API says, without the help of the browser.
 */
import assert from 'node:assert/strict';

import type { BrokerClient, Upload, UploadEvent } from 'upload-broker-client';

import { digestOfBody, digestOfFile } from './files.js';

/** What the broker has to say about an upload. */
export interface Proof {
  path: string;
  /** Is not compared if it is missing. */
  level?: 'checksum' | 'size' | 'existence';
  by?: 'acknowledge' | 's3-event' | 'janitor' | 'uppy';
  /** The file whose bytes have been uploaded. */
  file: string;
}

/** The newest upload to a path. */
export async function uploadAt(client: BrokerClient, path: string): Promise<Upload | undefined> {
  const { data } = await client.api.GET('/uploads', {
    params: { query: { path, limit: 1 } },
  });
  return data?.[0];
}

/** Fails unless the upload is proven, has its event, and the dataset has the bytes of the file. */
export async function assertProven(client: BrokerClient, proof: Proof): Promise<Upload> {
  const { id } = (await uploadAt(client, proof.path)) ?? assert.fail(`no upload to ${proof.path}`);
  const { data: upload } = await client.api.GET('/uploads/{id}', { params: { path: { id } } });
  assert.ok(upload);
  assert.equal(upload.status, 'Uploaded', JSON.stringify(upload.error));
  const verification = upload.verification ?? assert.fail('there is no proof');
  assert.equal(verification.level, proof.level ?? verification.level);
  assert.equal(verification.by, proof.by ?? verification.by);
  const events = await eventsOf(client, id);
  const uploaded = events.filter((event) => event.type === 'dataset.uploaded');
  assert.equal(uploaded.length, 1, JSON.stringify(events));
  const response = await client.download(proof.path);
  assert.equal(await digestOfBody(response), await digestOfFile(proof.file), proof.path);
  return upload;
}

/** The bytes of the parts that the store has of a pending upload; 0 if there is none. */
export async function arrivedBytes(client: BrokerClient, upload?: Upload): Promise<number> {
  if (upload?.status !== 'Pending') {
    return 0;
  }
  const { data } = await client.api.GET('/uploads/{id}/parts', {
    params: { path: { id: upload.id } },
  });
  return (data?.uploaded ?? []).reduce((sum, { size }) => sum + size, 0);
}

/** The history of an upload. */
export async function eventsOf(client: BrokerClient, id: string): Promise<UploadEvent[]> {
  const { data } = await client.api.GET('/uploads/{id}/events', { params: { path: { id } } });
  return (data ?? []) as UploadEvent[];
}
