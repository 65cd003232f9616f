/**
 * Downloads that the browser saves as files.
 */
import type { BrokerClient } from 'upload-broker-client';

/**
 * A navigation that starts before the store has answered the last one would cancel it, and pages
 * do not learn when a download has begun.
 */
const BETWEEN_MS = 1500;

/** Has the browser save a dataset. The bytes come from the store, and not through this page. */
export async function saveDataset(client: BrokerClient, path: string): Promise<void> {
  const { url } = await client.downloadUrl(path, { disposition: 'attachment' });
  const link = document.createElement('a');
  link.href = url;
  link.rel = 'noreferrer';
  document.body.append(link);
  link.click();
  link.remove();
}

/** Waits until the next download may start. */
export function pauseBetweenDownloads(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, BETWEEN_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
