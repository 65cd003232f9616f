/**
 * The text of a document, page by page.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { BrokerError, dataOf } from 'upload-broker-client';

import { hasScope } from '../session/principal.js';
import { endSessionIfRefused } from '../session/session.js';
import type { Session } from '../session/session.js';
import { ErrorNote } from '../ui/ErrorNote.js';

/** Shows one page, and leads to the others. */
export function PdfText({ session, uploadId, page: firstPage }: {
  session: Session;
  uploadId: string;
  page: number;
}) {
  const page = useSignal(Math.max(1, Math.floor(firstPage)));
  const pages = useSignal<number | null>(null);
  const text = useSignal<string | null>(null);
  const error = useSignal<unknown>(null);
  const isBusy = useSignal(true);

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    isBusy.value = true;
    error.value = null;
    const query = { page: page.value };
    session.client.api
      .GET('/uploads/{id}/text', { params: { path: { id: uploadId }, query }, signal })
      .then((answer) => {
        const document = dataOf(answer);
        pages.value = document.pages;
        text.value = document.text[0]?.text ?? null;
      })
      .catch((cause: unknown) => {
        if (!signal.aborted && !endSessionIfRefused(cause)) {
          error.value = cause;
        }
      })
      .finally(() => {
        if (!signal.aborted) {
          isBusy.value = false;
        }
      });
    return () => controller.abort();
  }, [page.value, uploadId]);

  const isMissing = error.value instanceof BrokerError && error.value.code === 'text-missing';
  if (!hasScope(session.principal, 'datasets:read') || isMissing || pages.value === 0) {
    return null;
  }
  const last = pages.value ?? page.value;
  const goToPage = (number: number) => (page.value = Math.min(Math.max(1, number), last));
  return (
    <section class="card" aria-labelledby="text">
      <div class="spread">
        <h2 id="text">Text</h2>
        <form
          class="row"
          onSubmit={(event: SubmitEvent) => {
            event.preventDefault();
            const form = new FormData(event.currentTarget as HTMLFormElement);
            goToPage(Number(form.get('page')) || 1);
          }}
        >
          <button type="button" disabled={page.value <= 1} onClick={() => goToPage(page.value - 1)}>
            Previous page
          </button>
          <span class="page-number">
            <input name="page" aria-label="Page" type="number" min={1} max={last} value={page.value} key={page.value} />
            <span> of {last.toLocaleString()}</span>
          </span>
          <button type="button" disabled={page.value >= last} onClick={() => goToPage(page.value + 1)}>
            Next page
          </button>
        </form>
      </div>
      {error.value != null && <ErrorNote error={error.value} onRetry={() => goToPage(page.value)} />}
      {error.value == null && (
        <div class="page-text" aria-busy={isBusy.value} tabIndex={0} role="region" aria-label={`Text of page ${page.value}`}>
          {text.value ?? (isBusy.value ? 'Loading …' : 'There is no text on this page.')}
        </div>
      )}
    </section>
  );
}
