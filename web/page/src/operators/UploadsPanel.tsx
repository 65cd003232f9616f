/**
 * The uploads of the tenant by status.
 */
import { useEffect, useMemo } from 'preact/hooks';
import { dataOf } from 'upload-broker-client';
import type { Upload } from 'upload-broker-client';

import type { ViewProps } from '../app.js';
import { LiveStatus } from '../live/LiveStatus.js';
import { useLive } from '../live/useLive.js';
import { hrefOf, replaceRoute } from '../route.js';
import type { Session } from '../session/session.js';
import { ErrorNote } from '../ui/ErrorNote.js';
import { ListFoot } from '../ui/ListFoot.js';
import { mergeNewest } from '../ui/mergeNewest.js';
import { PagedList } from '../ui/pagedList.js';
import { useMedia } from '../ui/useMedia.js';
import { WindowedList } from '../ui/WindowedList.js';
import { count } from '../words/numbers.js';
import { LateField } from './LateField.js';
import { UploadRow } from './UploadRow.js';

const STATUSES: Upload['status'][] = [
  'Pending', 'Uploaded', 'Processing', 'Processed', 'Error',
  'Expired', 'Cancelled', 'Deleting', 'Deleted', 'Superseded',
];
const PAGE_SIZE = 100;

/** Lists uploads, which can be cancelled or deleted. */
export function UploadsPanel({ session, route }: ViewProps) {
  const statuses = route.query.getAll('status').flatMap((text) => text.split(',')).filter(Boolean);
  const prefix = route.query.get('prefix') ?? '';
  const wanted = statuses.join();
  const list = useMemo(() => createUploads(session, statuses, prefix), [session, wanted, prefix]);
  const isNarrow = useMedia('(max-width: 48rem)');
  const rows = list.rows.value;

  useEffect(() => {
    void list.start();
    return () => list.stop();
  }, [list]);
  const refresh = () => void list.refresh(mergeNewest);
  useLive(
    session,
    (events) => {
      // Older rows are not on the first page, and change too.
      const statusOf = new Map(events.map(({ upload_id: id, data }) => [id, data.status]));
      list.rows.value = list.rows.value
        .map((row) => {
          const status = statusOf.get(row.id) as Upload['status'] | undefined;
          return status ? { ...row, status } : row;
        })
        .filter((row) => statuses.length === 0 || statuses.includes(row.status));
      refresh();
    },
    refresh,
  );

  const filter = (newStatuses: string[], newPrefix: string) =>
    replaceRoute(
      hrefOf('admin', '/uploads', {
        ...(newStatuses.length > 0 && { status: newStatuses.join() }),
        ...(newPrefix && { prefix: newPrefix }),
      }),
    );
  const toggle = (status: string) =>
    filter(
      statuses.includes(status) ? statuses.filter((one) => one !== status) : [...statuses, status],
      prefix,
    );
  const replace = (upload: Upload) => {
    list.rows.value = list.rows.value.map((row) => (row.id === upload.id ? upload : row));
    refresh();
  };

  return (
    <section aria-label="Uploads">
      <div class="spread filters">
        <fieldset class="chips">
          <legend>Status</legend>
          {STATUSES.map((status) => (
            <button
              key={status}
              class="chip"
              aria-pressed={statuses.includes(status)}
              onClick={() => toggle(status)}
            >
              {status}
            </button>
          ))}
        </fieldset>
        <LateField
          label="Path starts with"
          value={prefix}
          placeholder="/data/"
          onChange={(text) => filter(statuses, text)}
        />
        <LiveStatus session={session} onReload={() => void list.reload()} />
      </div>
      {rows.length > 0 ? (
        <>
          <WindowedList
            items={rows}
            rowHeight={isNarrow ? 116 : 64}
            label="Uploads"
            keyOf={(upload) => upload.id}
            onReachEnd={() => void list.loadMore()}
            render={(upload) => (
              <UploadRow session={session} upload={upload} onChange={replace} onDeleted={refresh} />
            )}
          />
          <ListFoot list={list} text={count(rows.length, 'upload')} />
        </>
      ) : list.error.value != null ? (
        <ErrorNote error={list.error.value} onRetry={() => void list.start()} />
      ) : list.isComplete.value ? (
        <div class="card empty">
          <h2>{wanted || prefix ? 'No upload matches' : 'There are no uploads'}</h2>
          {(wanted || prefix) && <p><a href={hrefOf('admin', '/uploads')}>Show all uploads</a></p>}
        </div>
      ) : (
        <p aria-busy="true">Loading …</p>
      )}
    </section>
  );
}

function createUploads({ client }: Session, status: string[], prefix: string): PagedList<Upload> {
  return new PagedList<Upload>(async (cursor, signal) => {
    const query = { status, prefix: prefix || undefined, limit: PAGE_SIZE, cursor };
    const answer = await client.api.GET('/uploads', { params: { query }, signal });
    return { entries: dataOf(answer), response: answer.response };
  });
}
