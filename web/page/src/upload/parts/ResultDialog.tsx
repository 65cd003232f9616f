/**
 * How the upload of a file has ended: its receipt, or why it failed.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

import { hrefOf } from '../../route.js';
import { copyText } from '../../ui/clipboard.js';
import { Dialog } from '../../ui/Dialog.js';
import type { ErrorWords } from '../../words/errors.js';
import { formatBytes, formatTime } from '../../words/numbers.js';
import type { Receipt } from '../engine/messages.js';
import type { ShownRow } from '../state/rows.js';
import { proofWords } from './state-words.js';

/** Shows the receipt or the error of a row. */
export function ResultDialog({ row, canRead, onClose }: {
  row: ShownRow;
  canRead: boolean;
  onClose: () => void;
}) {
  const { receipt, error } = row;
  return (
    <Dialog title={receipt ? 'Receipt' : 'Upload failed'} onClose={onClose}>
      <p><strong>{row.path}</strong></p>
      {receipt && <ReceiptFacts receipt={receipt} canRead={canRead} />}
      {!receipt && error && <Failure error={error} />}
      <div class="row dialog-buttons">
        <button class="primary" onClick={onClose}>Close</button>
      </div>
    </Dialog>
  );
}

function ReceiptFacts({ receipt, canRead }: { receipt: Receipt; canRead: boolean }) {
  const note = useSignal('');
  const href = hrefOf('dataset', receipt.path);
  const copy = async (text: string, words: string) => {
    const isCopied = await copyText(text);
    note.value = isCopied ? words : 'The browser does not allow to copy';
  };
  const link = new URL(href, location.href).href;
  return (
    <>
      <p>
        <span class={`badge ${receipt.level === 'checksum' ? 'good' : ''}`}>
          {proofWords(receipt.level)}
        </span>
      </p>
      <dl class="receipt-facts">
        <Fact name="Size">{describeSize(receipt.size)}</Fact>
        {receipt.checksum && <Fact name="Checksum"><code>{receipt.checksum}</code></Fact>}
        {receipt.versionId && <Fact name="Version"><code>{receipt.versionId}</code></Fact>}
        <Fact name="Proven">{formatTime(receipt.at)}</Fact>
        <Fact name="Upload"><code>{receipt.id}</code></Fact>
      </dl>
      <div class="row">
        {canRead && <a class="button" href={href}>Open the dataset</a>}
        <button onClick={() => void copy(link, 'Link copied')}>Copy link</button>
        <button onClick={() => void copy(receipt.s3Url, 'S3 URI copied')}>Copy S3 URI</button>
      </div>
      <p class="hint" role="status">{note.value}</p>
    </>
  );
}

function describeSize(bytes: number): string {
  const short = formatBytes(bytes);
  return bytes < 1000 ? short : `${short} (${bytes.toLocaleString()} bytes)`;
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Failure({ error }: { error: ErrorWords }) {
  return (
    <div class="note error">
      <strong>{error.title}</strong>
      {error.advice && <p>{error.advice}</p>}
      {error.requestId && <p class="hint">Request <code>{error.requestId}</code></p>}
    </div>
  );
}
