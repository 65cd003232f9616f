/**
 * Shows whether a view is up to date by itself.
 */
import { hasScope } from '../session/principal.js';
import type { Session } from '../session/session.js';
import type { LiveState } from './feed.js';
import './live.css';
import { feedOf } from './useLive.js';

const LABELS: Record<LiveState, string> = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  off: 'Not live',
};

/** The state of the stream of events. Where there is none, a button reads everything again. */
export function LiveStatus({ session, onReload }: { session: Session; onReload: () => void }) {
  const state = feedOf(session).state.value;
  if (state === 'off') {
    const reason = hasScope(session.principal, 'uploads:read')
      ? 'The broker does not send events'
      : 'This credential may not read events (scope uploads:read)';
    return <button class="quiet" title={reason} onClick={onReload}>Reload</button>;
  }
  const title = state === 'live' ? 'Changes are shown as they happen' : undefined;
  return (
    <span class="live" data-state={state} title={title}>
      {LABELS[state]}
    </span>
  );
}
