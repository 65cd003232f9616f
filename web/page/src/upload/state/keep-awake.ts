/**
 * Keeps the screen on while files are sent: devices that sleep send nothing.
 */
import { effect } from '@preact/signals';

import { totals } from './uploads.js';

/** Holds a wake lock while something is sent. Returns a function that ends it. */
export function keepAwakeWhileSending(): () => void {
  let lock: WakeLockSentinel | null = null;
  let isWanted = false;

  const update = async () => {
    if (isWanted && !lock && document.visibilityState === 'visible') {
      // Only secure contexts have wake locks, and a low battery forbids them. Both do not matter.
      const requested = await navigator.wakeLock?.request('screen').catch(() => null);
      lock = requested ?? null;
      // The browser takes the lock away when the page is hidden.
      lock?.addEventListener('release', () => (lock = null));
    }
    if (!isWanted && lock) {
      await lock.release();
    }
  };
  const stop = effect(() => {
    const counts = totals.value?.counts;
    isWanted = counts !== undefined && counts.sending + counts.hashing + counts.proving > 0;
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
