/**
 * Drops files and folders on a page, as a person does with a file manager. Playwright has no function
 * for it; the browser gets the paths, and reads the folders itself.
 */
import type { Locator } from 'playwright-core';

/** Drops these paths on an element. */
export async function drop(target: Locator, paths: string[]): Promise<void> {
  const page = target.page();
  const box = await target.boundingBox();
  if (!box) {
    throw new Error('the element is not visible');
  }
  const session = await page.context().newCDPSession(page);
  const place = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  // 1 is the operation "copy".
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, ...place, data });
  }
  await session.detach();
}
