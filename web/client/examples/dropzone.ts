/**
 * Dropzone 6.3 with the broker: its chunks are the parts of an upload.
 *
 *     const broker = new BrokerClient({ url: '…', credential: tokenFromYourBackEnd });
 *     makeDropzone('#dropzone', broker, '/in/');
 *
 * Dropzone asks for the URL of a chunk when it sends it, and cannot wait for an answer. So the
 * session, with the URLs of all parts, is requested when a file is accepted.
 */
import { Dropzone } from 'dropzone';
import type { DropzoneFile } from 'dropzone';

import { checksumOf } from 'upload-broker-client';
import type { BrokerClient, Checksum, Part, Upload } from 'upload-broker-client';

/** The size of a chunk and of a part. */
const PART_SIZE = 8 * 1024 * 1024;
/** The lifetime of the URLs in seconds: it must suffice for the whole file. */
const LIFETIME = 6 * 3600;

interface Session {
  upload: Upload;
  parts: Part[];
  /** Is computed while the chunks are sent. */
  checksum: Promise<Checksum>;
}

/** Turns an element into a Dropzone that uploads to a folder. `success` events have the receipt. */
export function makeDropzone(element: HTMLElement | string, broker: BrokerClient, folder: string) {
  const sessions = new Map<DropzoneFile, Session>();

  async function start(file: DropzoneFile): Promise<void> {
    const { data: upload } = await broker.api.POST('/uploads', {
      params: { header: { 'Idempotency-Key': file.upload.uuid } },
      body: {
        path: folder + file.name,
        size: file.size,
        multipart: true,
        part_size: PART_SIZE,
        expires_in: LIFETIME,
      },
    });
    const parts = [...(upload?.multipart?.parts ?? [])];
    const count = upload?.multipart?.part_count ?? 0;
    while (upload && parts.length < count) {
      const { data } = await broker.api.POST('/uploads/{id}/parts', {
        params: { path: { id: upload.id } },
        body: { from: parts.length + 1, count: Math.min(1000, count - parts.length) },
      });
      parts.push(...(data?.parts ?? []));
    }
    if (upload) {
      const checksum = checksumOf(file);
      // A failure is reported when the checksum is used.
      checksum.catch(() => undefined);
      sessions.set(file, { upload, parts, checksum });
    }
  }

  async function acknowledge(file: DropzoneFile): Promise<Upload | undefined> {
    const session = sessions.get(file);
    const { data } = await broker.api.POST('/uploads/{id}/acknowledge', {
      params: { path: { id: session?.upload.id ?? '' } },
      body: { size: file.size, checksum: await session?.checksum },
    });
    sessions.delete(file);
    return data;
  }

  /** Ends the session of a file that was removed. */
  function cancel(file: DropzoneFile): void {
    const id = sessions.get(file)?.upload.id;
    sessions.delete(file);
    if (id) {
      // If it fails, the broker ends the session at its deadline.
      broker.cancelUpload(id).catch(() => undefined);
    }
  }

  const dropzone = new Dropzone(element, {
    method: 'PUT',
    url: (files, dataBlocks) => {
      const part = files[0] && sessions.get(files[0])?.parts[dataBlocks?.[0].chunkIndex];
      return part?.url ?? '';
    },
    binaryBody: true,
    chunking: true,
    forceChunking: true,
    chunkSize: PART_SIZE,
    parallelChunkUploads: true,
    retryChunks: true,
    retryChunksLimit: 5,
    // A chunk may take long; Dropzone would end it after 30 seconds.
    timeout: null,
    maxFilesize: Infinity,
    // The store does not allow these headers to pages of other origins.
    defaultHeaders: false,
    accept: (file, done) => {
      start(file).then(
        // The file may have been removed while the session was created.
        () => (dropzone.files.includes(file) ? done() : cancel(file)),
        (error: Error) => done(error.message),
      );
    },
    chunksUploaded: (file, done) => {
      acknowledge(file).then(
        (receipt) => {
          file.receipt = receipt;
          done();
        },
        (error: Error) => {
          file.status = Dropzone.ERROR;
          dropzone.emit('error', file, error.message);
          dropzone.emit('complete', file);
        },
      );
    },
  });

  dropzone.on('canceled', cancel);
  dropzone.on('removedfile', cancel);

  return dropzone;
}
