/**
 * A page with the Dropzone of the examples.
 */
import { BrokerClient } from 'upload-broker-client';

import { makeDropzone } from '../../../web/client/examples/dropzone.js';

/** Starts Dropzone, and shows in the list what becomes of the files. */
function start(url: string, token: string, folder: string): void {
  const broker = new BrokerClient({ url, credential: token });
  const dropzone = makeDropzone('#dropzone', broker, folder);
  const list = document.getElementById('ends')!;
  const show = (text: string) => {
    list.append(Object.assign(document.createElement('li'), { textContent: text }));
  };
  dropzone.on('success', (file) => show(`${file.name}: ${file.receipt.verification.level}`));
  dropzone.on('error', (file, message) => show(`${file.name}: ${message}`));
  Object.assign(window, { dropzone });
}

Object.assign(window, { start });
