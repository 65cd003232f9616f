/**
 * The address of a view, in the fragment of the URL. The paths of the server belong to its API.
 *
 *     #/upload?to=/in/     #/browse/data/     #/dataset/data/employees.csv     #/search?q=words
 *     #/jobs?status=Failed     #/admin/uploads     #/admin/audit     #/admin/usage
 *
 * `#token=…` signs in, and is removed from the address at once (see `session/link.ts`).
 */
import { computed, signal } from '@preact/signals';

/** The views of the page. */
export type View = 'upload' | 'browse' | 'dataset' | 'search' | 'jobs' | 'admin';

/** A view and what it shows. */
export interface Route {
  view: View;
  /** What follows the view, decoded, with its leading slash: a path of the broker. */
  path: string;
  query: URLSearchParams;
}

const VIEWS: readonly string[] = ['upload', 'browse', 'dataset', 'search', 'jobs', 'admin'];

const fragment = signal(location.hash);
addEventListener('hashchange', () => (fragment.value = location.hash));

/** The current route; null where the address names none. */
export const route = computed(() => parseRoute(fragment.value));

/** Reads a fragment. */
export function parseRoute(hash: string): Route | null {
  const match = /^#\/([a-z]+)([^?]*)(?:\?(.*))?$/.exec(hash);
  const view = match?.[1];
  if (!match || !view || !VIEWS.includes(view)) {
    return null;
  }
  return {
    view: view as View,
    path: decode(match[2] ?? '') || '/',
    query: new URLSearchParams(match[3] ?? ''),
  };
}

/** The `href` of a view. Characters that are special in a URL are encoded, slashes stay. */
export function hrefOf(view: View, path = '/', query: Record<string, string> = {}): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const search = new URLSearchParams(query).toString();
  return `#/${view}${encoded === '/' ? '' : encoded}${search && `?${search}`}`;
}

/** Shows a view. */
export function goTo(href: string): void {
  location.hash = href;
}

/** Replaces the address without a new entry in the history. */
export function replaceRoute(href: string): void {
  history.replaceState(null, '', href);
  fragment.value = href;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
