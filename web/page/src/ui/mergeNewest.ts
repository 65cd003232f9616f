/**
 * Lists whose newest entries come first, and whose ids are in the order of their creation.
 */

/**
 * Replaces the newest rows by the first page that was read again. Older rows stay. What is in the
 * range of the page and no longer on it does not match the filter any more.
 */
export function mergeNewest<T extends { id: string }>(
  rows: T[],
  page: T[],
  isWhole: boolean,
): T[] {
  const oldest = page[page.length - 1]?.id;
  if (isWhole || oldest === undefined) {
    return page;
  }
  return page.concat(rows.filter(({ id }) => id < oldest));
}
