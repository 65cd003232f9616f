/**
 * Has the browser ask before the page is closed while files have not ended.
 */
import { effect } from '@preact/signals';

import { hasOpenFiles } from './uploads.js';

/** Watches until the returned function is called. */
export function warnBeforeLeaving(): () => void {
  const ask = (event: BeforeUnloadEvent) => event.preventDefault();
  // A page that always listens is slower to come back to.
  const stop = effect(() => {
    if (hasOpenFiles.value) {
      addEventListener('beforeunload', ask);
    } else {
      removeEventListener('beforeunload', ask);
    }
  });
  return () => {
    stop();
    removeEventListener('beforeunload', ask);
  };
}
