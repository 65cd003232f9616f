/**
 * Decides which tab reads the stream of events.
 *
 * With Web Locks, it is the tab that holds the lock. The browser gives the lock to the tab that
 * waits longest as soon as its holder is closed or crashes, and does not freeze tabs that hold one.
 *
 * Web Locks exist in secure contexts only. On plain http each tab has a stream of its own while it
 * is visible: with HTTP/1.1 a browser opens six connections to a server, which the streams of
 * hidden tabs would use up, and then no request of any tab would get through.
 */

/** Runs `lead` when this tab is elected, until it returns or the signal is aborted. */
export async function leadWhenElected(
  name: string,
  signal: AbortSignal,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  try {
    if (hasElections()) {
      await navigator.locks.request(name, { signal }, () => lead(signal));
    } else {
      await leadWhileVisible(signal, lead);
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  }
}

/** Whether the tabs of this browser can elect one of them. */
export function hasElections(): boolean {
  return 'locks' in navigator && 'BroadcastChannel' in globalThis;
}

async function leadWhileVisible(
  signal: AbortSignal,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await untilVisibility('visible', signal);
    const turn = new AbortController();
    const isOver = untilVisibility('hidden', signal).finally(() => turn.abort());
    await lead(turn.signal);
    if (!turn.signal.aborted) {
      // The stream has ended for good.
      return;
    }
    await isOver;
  }
}

function untilVisibility(wanted: DocumentVisibilityState, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (document.visibilityState === wanted || signal.aborted) {
        document.removeEventListener('visibilitychange', check);
        signal.removeEventListener('abort', check);
        resolve();
      }
    };
    document.addEventListener('visibilitychange', check);
    signal.addEventListener('abort', check);
    check();
  });
}
