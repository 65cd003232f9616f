/**
 * Views that are loaded when they are shown, so that the first load is small.
 */
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';

import { ErrorNote } from './ErrorNote.js';

/** A component that loads another one, and shows it. */
export function lazyView<P extends object>(load: () => Promise<ComponentType<P>>) {
  let loaded: ComponentType<P> | undefined;
  return function LazyView(props: P) {
    const isLoaded = useSignal(loaded !== undefined);
    const error = useSignal<unknown>(null);
    const start = () => {
      error.value = null;
      load().then(
        (view) => {
          loaded = view;
          isLoaded.value = true;
        },
        (cause: unknown) => (error.value = cause),
      );
    };
    useEffect(() => {
      if (!loaded) {
        start();
      }
    }, []);
    if (error.value != null) {
      // The files of a view are gone after an upgrade of the server. A reload gets the new page.
      return <ErrorNote error={error.value} onRetry={() => location.reload()} />;
    }
    const View = loaded;
    return isLoaded.value && View ? <View {...props} /> : <p aria-busy="true">Loading …</p>;
  };
}
