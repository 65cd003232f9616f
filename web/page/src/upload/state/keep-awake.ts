/**
 * Keeps the screen on while files are sent: devices that sleep send nothing.
 */
import { computed, effect } from '@preact/signals';

import { totals } from './uploads.js';

/** Holds a wake lock while something is sent. Returns a function that ends it. */
export function keepAwakeWhileSending(): () => void {
  const isSending = computed(() => {
    const counts = totals.value?.counts;
    return counts !== undefined && counts.sending + counts.hashing + counts.proving > 0;
  });
  let lock: WakeLockSentinel | null = null;
  let isWanted = false;
  let last = Promise.resolve();

  const step = async () => {
    if (isWanted && !lock && document.visibilityState === 'visible') {
      // Only secure contexts have wake locks, and a low battery forbids them. Both do not matter.
      const requested = await navigator.wakeLock?.request('screen').catch(() => null);
      lock = requested ?? null;
      // The browser takes the lock away when the page is hidden.
      lock?.addEventListener('release', () => (lock = null));
    } else if (!isWanted && lock) {
      await lock.release();
    }
  };
  // One after the other: a lock that is requested twice, or released before it is there, would be
  // held for ever.
  const update = () => (last = last.then(step, step));
  const stop = effect(() => {
    isWanted = isSending.value;
    void update();
  });
  const onVisible = () => void update();
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    stop();
    document.removeEventListener('visibilitychange', onVisible);
    isWanted = false;
    void update();
  };
}
