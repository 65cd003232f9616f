/**
 * Uploads a file, shows its progress, and prints the receipt. If it is interrupted and started
 * again, it continues where it stopped.
 *
 *     UPLOAD_BROKER_URL=… UPLOAD_BROKER_KEY=… node node.js employees.csv /data/employees.csv
 */
import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';

import { BrokerClient, ConflictError } from 'upload-broker-client';

const { UPLOAD_BROKER_URL: url, UPLOAD_BROKER_KEY: credential } = process.env;
const [file, path] = process.argv.slice(2);
if (!url || !file || !path) {
  console.error('usage: UPLOAD_BROKER_URL=… UPLOAD_BROKER_KEY=… node node.js FILE PATH');
  process.exit(2);
}

const { size, mtimeMs } = await stat(file);
const broker = new BrokerClient({ url, credential });
try {
  const receipt = await broker.upload(await openAsBlob(file), {
    path,
    // The same file to the same path is the same upload.
    idempotencyKey: encodeURIComponent(`${path}-${size}-${mtimeMs}`).slice(-255),
    onProgress: ({ sentBytes }) => console.error(`${sentBytes} of ${size} bytes`),
  });
  console.log(`${receipt.path} is ${receipt.status}: ${receipt.verification?.level} verified`);
} catch (error) {
  if (!(error instanceof ConflictError)) {
    throw error;
  }
  console.error(`Another dataset stands at ${path}`);
  process.exitCode = 1;
}
