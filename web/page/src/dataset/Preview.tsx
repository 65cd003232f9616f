/**
 * What is in a dataset, if the page can show it.
 */
import { useSignal } from '@preact/signals';
import type { DatasetDetail } from 'upload-broker-client';

import type { Session } from '../session/session.js';
import { TablePreview } from './TablePreview.js';
import { formatOf } from './tableFormat.js';

const IMAGE = /^image\/(png|jpeg|gif|webp|avif|svg\+xml)$/;
/** Larger images are only downloaded if the user asks for it. */
const MAX_IMAGE_BYTES = 20_000_000;

/** The image, or the first rows of the table. */
export function Preview({ session, detail }: { session: Session; detail: DatasetDetail }) {
  const { path, size, etag, download_url: url } = detail;
  const contentType = detail.content_type ?? '';
  const format = formatOf(path, contentType);
  if (IMAGE.test(contentType) && size <= MAX_IMAGE_BYTES) {
    return (
      <section class="card" aria-label="Preview">
        <h2>Preview</h2>
        <ImagePreview key={etag} path={path} url={url} />
      </section>
    );
  }
  if (format) {
    return (
      <section class="card" aria-label="Preview">
        <h2>First rows</h2>
        <TablePreview
          key={etag}
          client={session.client}
          path={path}
          size={size}
          url={url}
          format={format}
        />
      </section>
    );
  }
  return null;
}

function ImagePreview({ path, url }: { path: string; url: string }) {
  const isBroken = useSignal(false);
  if (isBroken.value) {
    return <p class="hint">The browser cannot show this image. Its content may be of another kind.</p>;
  }
  return (
    <img
      class="preview"
      src={url}
      alt={`Content of ${path}`}
      onError={() => (isBroken.value = true)}
    />
  );
}
