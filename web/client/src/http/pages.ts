/**
 * Lists that come in pages.
 */

/** One page: its entries, and the response with its `Link` header. */
export interface Page<T> {
  entries: T[];
  response: Response;
}

/**
 * Yields the entries of all pages. The next page is requested when the entries of the previous one
 * are used up. Only the cursor of the `Link` header is used: its path may differ from the one that
 * a proxy in front of the broker accepts.
 */
export async function* allPages<T>(
  fetchPage: (cursor: string | undefined) => Promise<Page<T>>,
): AsyncGenerator<T, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await fetchPage(cursor);
    yield* page.entries;
    cursor = nextCursor(page.response.headers.get('link'));
  } while (cursor !== undefined);
}

/** The cursor of the next page in a `Link` header. */
export function nextCursor(link: string | null): string | undefined {
  const target = link?.match(/<([^>]*)>\s*;\s*rel="?next"?/)?.[1];
  if (target === undefined) {
    return undefined;
  }
  return new URL(target, 'http://broker').searchParams.get('cursor') ?? undefined;
}
