/**
 * The looks of a page: on a desktop and on a phone, light and dark.
 */
import type { Page } from 'playwright-core';

import { assertAccessible } from './axe.js';
import { assertLaidOut } from './layout.js';
import { PICTURES } from './places.js';

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** The first and the last one are given to axe: together, they have both sizes and both schemes. */
const LOOKS = [
  { name: 'desktop-light', size: DESKTOP, colorScheme: 'light', isForAxe: true },
  { name: 'desktop-dark', size: DESKTOP, colorScheme: 'dark', isForAxe: false },
  { name: 'phone-light', size: PHONE, colorScheme: 'light', isForAxe: false },
  { name: 'phone-dark', size: PHONE, colorScheme: 'dark', isForAxe: true },
] as const;

/**
 * Takes pictures of a state of a page in all looks, as `target/browser/STATE-LOOK.png`. Fails if axe
 * has something to say, or if something overlaps. The page has the size of a desktop at the end.
 */
export async function checkLooks(page: Page, state: string): Promise<void> {
  for (const { name, size, colorScheme, isForAxe } of LOOKS) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // The layout follows the size in a later frame.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50))));
    await page.screenshot({ path: `${PICTURES}${state}-${name}.png`, fullPage: true });
    await assertLaidOut(page, `${state} (${name})`);
    if (isForAxe) {
      await assertAccessible(page, `${state} (${name})`);
    }
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}
