/**
 * Who did what with the data of the tenant.
 */
import { useEffect, useMemo } from 'preact/hooks';
import { dataOf } from 'upload-broker-client';
import type { components } from 'upload-broker-client';

import type { ViewProps } from '../app.js';
import { hrefOf, replaceRoute } from '../route.js';
import type { Session } from '../session/session.js';
import { ErrorNote } from '../ui/ErrorNote.js';
import { ListFoot } from '../ui/ListFoot.js';
import { PagedList } from '../ui/pagedList.js';
import { useMedia } from '../ui/useMedia.js';
import { WindowedList } from '../ui/WindowedList.js';
import { count, formatTime } from '../words/numbers.js';
import { auditQuery, FILTER_NAMES } from './auditFilter.js';
import type { AuditFilter } from './auditFilter.js';
import { LateField } from './LateField.js';

/** A row of the audit trail. */
export type AuditRow = components['schemas']['AuditRow'];

const ACTIONS: AuditRow['action'][] = [
  'upload.created', 'urls.signed', 'parts.signed', 'upload.acknowledged', 'upload.extended',
  'upload.cancelled', 'upload.deleted', 'dataset.downloaded', 'datasets.searched', 'dataset.copied',
  'job.claimed', 'job.reported', 'jobs.retried', 'key.created', 'key.revoked', 'token.created',
  'tenant.created', 'tenant.changed', 'tenant.disabled', 'tenant.enabled', 'webhook.created',
  'webhook.removed', 'webhook.enabled', 'webhook.replayed', 'webhook.secret-rotated',
  'request.refused', 'request.unsettled', 'audit.lost',
];
const PAGE_SIZE = 100;

/** Lists actions, newest first. */
export function AuditPanel({ session, route }: ViewProps) {
  const filter: AuditFilter = {};
  FILTER_NAMES.forEach((name) => (filter[name] = route.query.get(name) ?? ''));
  const wanted = JSON.stringify(filter);
  const list = useMemo(() => createAudit(session, filter), [session, wanted]);
  const isNarrow = useMedia('(max-width: 48rem)');
  useEffect(() => {
    void list.start();
    return () => list.stop();
  }, [list]);
  const rows = list.rows.value;
  const isFiltered = Object.values(filter).some(Boolean);

  const change = (changes: AuditFilter) => {
    const query = Object.entries({ ...filter, ...changes }).filter(([, value]) => value);
    replaceRoute(hrefOf('admin', '/audit', Object.fromEntries(query) as Record<string, string>));
  };
  return (
    <section aria-label="Audit">
      <div class="filters">
        <label class="field">
          <span>Action</span>
          <select value={filter.action} onChange={(event) => change({ action: event.currentTarget.value })}>
            <option value="">All</option>
            {ACTIONS.map((action) => <option key={action} value={action}>{action}</option>)}
          </select>
        </label>
        <LateField
          label="Path starts with"
          value={filter.prefix ?? ''}
          placeholder="/data/"
          onChange={(prefix) => change({ prefix })}
        />
        <TimeField label="Since" value={filter.since ?? ''} onChange={(since) => change({ since })} />
        <TimeField label="Until" value={filter.until ?? ''} onChange={(until) => change({ until })} />
        <button class="reload" onClick={() => void list.reload()}>Reload</button>
      </div>
      {rows.length > 0 ? (
        <>
          <WindowedList
            items={rows}
            rowHeight={isNarrow ? 112 : 64}
            label="Audit trail"
            keyOf={(row) => row.id}
            onReachEnd={() => void list.loadMore()}
            render={(row) => <Row row={row} />}
          />
          <ListFoot list={list} text={count(rows.length, 'action')} />
        </>
      ) : list.error.value != null ? (
        <ErrorNote error={list.error.value} onRetry={() => void list.start()} />
      ) : list.isComplete.value ? (
        <div class="card empty">
          <h2>{isFiltered ? 'No action matches' : 'Nothing is recorded yet'}</h2>
          {isFiltered && <p><a href={hrefOf('admin', '/audit')}>Show all actions</a></p>}
        </div>
      ) : (
        <p aria-busy="true">Loading …</p>
      )}
    </section>
  );
}

function Row({ row }: { row: AuditRow }) {
  const target = row.path ?? row.subject ?? row.operation ?? '';
  const said = [
    row.actor,
    row.address,
    row.code,
    row.count > 1 && `${row.count.toLocaleString()} times`,
    row.expires_at && `until ${formatTime(row.expires_at)}`,
    row.request_id && `request ${row.request_id}`,
  ].filter(Boolean);
  return (
    <div class="job-row plain">
      {row.path ? (
        <a class="what" href={hrefOf(row.path.endsWith('/') ? 'browse' : 'dataset', row.path)} title={row.path}>
          {row.path}
        </a>
      ) : (
        <span class="what" title={target}>{target || '–'}</span>
      )}
      <span class="hint said" title={said.join(', ')}>{said.join(', ')}</span>
      <span class="state"><span class={`badge ${row.code ? 'warn' : ''}`}>{row.action}</span></span>
      <time class="hint" dateTime={row.time}>{formatTime(row.time)}</time>
    </div>
  );
}

function TimeField({ label, value, onChange }: {
  label: string;
  value: string;
  onChange: (text: string) => void;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <input type="datetime-local" value={value} onChange={(event) => onChange(event.currentTarget.value)} />
    </label>
  );
}

function createAudit({ client }: Session, filter: AuditFilter): PagedList<AuditRow> {
  return new PagedList<AuditRow>(async (cursor, signal) => {
    const query = { ...auditQuery(filter), limit: PAGE_SIZE, cursor };
    const answer = await client.api.GET('/audit', { params: { query }, signal });
    return { entries: dataOf(answer), response: answer.response };
  });
}
