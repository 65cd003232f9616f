/**
 * Links that sign in: `https://broker/#token=TOKEN&next=/upload`. A fragment is not sent to the
 * server. It is removed from the address at once, so that it is not in the history.
 */
import { replaceRoute } from '../route.js';

/** Takes the token out of the address; null if there is none. */
export function takeLinkedToken(): string | null {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const credential = parameters.get('token');
  if (!credential) {
    return null;
  }
  const next = parameters.get('next');
  replaceRoute(next?.startsWith('/') ? `#${next}` : '#/upload');
  return credential;
}
