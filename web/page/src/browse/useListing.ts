/**
 * A listing of datasets that changes with the live events.
 */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { dataOf } from 'upload-broker-client';
import type { Entry } from 'upload-broker-client';

import { useLive } from '../live/useLive.js';
import type { Session } from '../session/session.js';
import { PagedList } from '../ui/pagedList.js';
import { applyEvents } from './applyEvents.js';

const PAGE_SIZE = 1000;
/** Changes that events do not describe are read together. */
const STALE_MS = 1000;
/** Longer listings are not read again for a single change. */
const MAX_RELOADED_PAGES = 3;

/** The entries of a folder, or all datasets whose path begins with the prefix. */
export function useListing(session: Session, prefix: string, isFlat: boolean): PagedList<Entry> {
  const list = useMemo(() => createListing(session, prefix, isFlat), [session, prefix, isFlat]);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    void list.start();
    return () => {
      clearTimeout(timer.current);
      list.stop();
    };
  }, [list]);
  useLive(
    session,
    (events) => {
      const range = { prefix, isFlat, isComplete: list.isComplete.value };
      const { rows, isStale } = applyEvents(list.rows.value, events, range);
      list.rows.value = rows;
      if (list.isLoading.value) {
        // The answer that is on its way may be older than the events.
        scheduleReload();
      } else if (isStale && list.pages.value <= MAX_RELOADED_PAGES) {
        scheduleReload();
      }
    },
    () => void list.reload(),
  );
  const scheduleReload = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void list.reload(), STALE_MS);
  };
  return list;
}

function createListing({ client }: Session, prefix: string, isFlat: boolean): PagedList<Entry> {
  return new PagedList<Entry>(async (cursor, signal) => {
    const delimiter = isFlat ? undefined : '/';
    const query = { prefix, delimiter, include: 'upload', limit: PAGE_SIZE, cursor };
    const answer = await client.api.GET('/datasets', { params: { query }, signal });
    return { entries: dataOf(answer), response: answer.response };
  });
}
