/**
 * Live events in views.
 */
import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { UploadEvent } from 'upload-broker-client';

import { sessionState } from '../session/session.js';
import type { Session } from '../session/session.js';
import { LiveFeed } from './feed.js';

/** Events are passed to a view together, so that it is not rendered for each of thousands. */
const BATCH_MS = 150;

let current: { session: Session; feed: LiveFeed } | undefined;

effect(() => {
  const state = sessionState.value;
  if (current && (state.kind !== 'signed-in' || state.session !== current.session)) {
    current.feed.stop();
    current = undefined;
  }
});

/** The feed of a session, which starts when the first view asks for it. */
export function feedOf(session: Session): LiveFeed {
  if (current?.session !== session) {
    current?.feed.stop();
    current = { session, feed: new LiveFeed(session) };
  }
  return current.feed;
}

/** Passes live events to a view while it is shown. */
export function useLive(
  session: Session,
  onEvents: (events: UploadEvent[]) => void,
  onReset: () => void,
): void {
  const latest = useRef({ onEvents, onReset });
  latest.current = { onEvents, onReset };
  useEffect(() => {
    let batch: UploadEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      const events = batch;
      batch = [];
      timer = undefined;
      latest.current.onEvents(events);
    };
    const unsubscribe = feedOf(session).subscribe({
      onEvent: (event) => {
        batch.push(event);
        timer ??= setTimeout(flush, BATCH_MS);
      },
      onReset: () => latest.current.onReset(),
    });
    return () => {
      clearTimeout(timer);
      unsubscribe();
    };
  }, [session]);
}
