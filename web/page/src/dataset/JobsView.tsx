/**
 * The jobs of the tenant.
 *
 *     #/jobs?status=Failed&processor=pdf-text
 */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { dataOf } from 'upload-broker-client';
import type { Job } from 'upload-broker-client';

import type { ViewProps } from '../app.js';
import '../browse/browse.css';
import { LiveStatus } from '../live/LiveStatus.js';
import { useLive } from '../live/useLive.js';
import { hrefOf, replaceRoute } from '../route.js';
import { hasScope } from '../session/principal.js';
import type { Session } from '../session/session.js';
import { ErrorNote } from '../ui/ErrorNote.js';
import { ListFoot } from '../ui/ListFoot.js';
import { mergeNewest } from '../ui/mergeNewest.js';
import { PagedList } from '../ui/pagedList.js';
import { useMedia } from '../ui/useMedia.js';
import { WindowedList } from '../ui/WindowedList.js';
import { count } from '../words/numbers.js';
import './jobs.css';
import { JobRow } from './JobRow.js';
import { isOpen } from './useDataset.js';

const STATUSES = ['Queued', 'Running', 'Succeeded', 'Failed', 'Cancelled'];
const PAGE_SIZE = 100;
/** Progress of a job is no event. */
const POLL_MS = 3000;

/** Lists jobs. */
export function JobsView({ session, route }: ViewProps) {
  const status = route.query.get('status') ?? '';
  const processor = route.query.get('processor') ?? '';
  const isNarrow = useMedia('(max-width: 48rem)');
  const list = useMemo(() => createJobs(session, status, processor), [session, status, processor]);
  const known = useSignal<string[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const rows = list.rows.value;

  const refresh = () => void list.refresh(mergeNewest);
  useEffect(() => {
    void list.start();
    return () => {
      clearTimeout(timer.current);
      list.stop();
    };
  }, [list]);
  useLive(session, refresh, refresh);
  const hasOpenJobs = rows.some(isOpen);
  useEffect(() => {
    if (hasOpenJobs) {
      const poll = setInterval(() => document.visibilityState === 'visible' && refresh(), POLL_MS);
      return () => clearInterval(poll);
    }
    return undefined;
  }, [list, hasOpenJobs]);
  useEffect(() => {
    known.value = [...new Set([...known.value, ...rows.map((job) => job.processor), processor])]
      .filter(Boolean)
      .sort();
  }, [rows, processor]);

  const filter = (changes: { status?: string; processor?: string }) => {
    const wanted = Object.entries({ status, processor, ...changes }).filter(([, value]) => value);
    replaceRoute(hrefOf('jobs', '/', Object.fromEntries(wanted)));
  };
  const error = list.error.value;
  return (
    <>
      <div class="spread head">
        <h1>Processing</h1>
        <LiveStatus session={session} onReload={() => void list.reload()} />
      </div>
      <div class="filters">
        <Choice label="Status" value={status} options={STATUSES} onChange={(value) => filter({ status: value })} />
        <Choice
          label="Processor"
          value={processor}
          options={known.value}
          onChange={(value) => filter({ processor: value })}
        />
      </div>
      {rows.length === 0 ? (
        <Empty list={list} isFiltered={Boolean(status || processor)} error={error} />
      ) : (
        <>
          <WindowedList
            items={rows}
            rowHeight={isNarrow ? 112 : 64}
            label="Jobs"
            keyOf={(job) => job.id}
            onReachEnd={() => void list.loadMore()}
            render={(job) => (
              <JobRow
                session={session}
                job={job}
                canRetry={hasScope(session.principal, 'processing:write')}
                onChange={refresh}
              />
            )}
          />
          <ListFoot list={list} text={count(rows.length, 'job')} />
        </>
      )}
    </>
  );
}

function Empty({ list, isFiltered, error }: {
  list: PagedList<Job>;
  isFiltered: boolean;
  error: unknown;
}) {
  if (error != null) {
    return <ErrorNote error={error} onRetry={() => void list.start()} />;
  }
  if (!list.isComplete.value) {
    return <p aria-busy="true">Loading …</p>;
  }
  return (
    <div class="card empty">
      <h2>{isFiltered ? 'No job matches' : 'There are no jobs'}</h2>
      {isFiltered ? (
        <p><a href={hrefOf('jobs')}>Show all jobs</a></p>
      ) : (
        <p>
          Rules decide which uploads are processed (<code>BROKER_PROCESSORS_FILE</code>). Other
          systems may report jobs of their own.
        </p>
      )}
    </div>
  );
}

function Choice({ label, value, options, onChange }: {
  label: string;
  value: string;
  options: string[];
  onChange: (value: string) => void;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">All</option>
        {options.map((option) => <option key={option} value={option}>{option}</option>)}
      </select>
    </label>
  );
}

function createJobs({ client }: Session, status: string, processor: string): PagedList<Job> {
  return new PagedList<Job>(async (cursor, signal) => {
    const query = {
      status: status || undefined,
      processor: processor || undefined,
      limit: PAGE_SIZE,
      cursor,
    };
    const answer = await client.api.GET('/jobs', { params: { query }, signal });
    return { entries: dataOf(answer) as Job[], response: answer.response };
  });
}
