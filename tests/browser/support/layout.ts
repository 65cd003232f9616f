/**
 * Faults of the layout that axe does not find: content wider than the window, and texts or controls
 * that overlap.
 */
import assert from 'node:assert/strict';

import type { Page } from 'playwright-core';

/** Fails if the page is wider than its window, or if two of its controls or texts overlap. */
export async function assertLaidOut(page: Page, state: string): Promise<void> {
  const faults = await page.evaluate(() => {
    const root = document.documentElement;
    const faults: string[] = [];
    if (root.scrollWidth > root.clientWidth) {
      faults.push(`the page is ${root.scrollWidth} wide in a window of ${root.clientWidth}`);
    }
    const describe = (element: Element) => {
      const text = element.textContent?.trim().slice(0, 40) ?? '';
      return `<${element.tagName.toLowerCase()} class="${element.className}"> ${text}`;
    };
    /** Whether an element has text or is used itself, and is not only a frame of others. */
    const isLeaf = (element: Element) =>
      element.matches('button, input, select, a, progress, svg') ||
      [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
    const leaves = [...document.body.querySelectorAll('*')].filter(
      (element) => isLeaf(element) && element.checkVisibility({ visibilityProperty: true }),
    );
    /** The part of an element that the frames around it, which scroll, let through. */
    const visibleBox = (element: Element) => {
      const own = element.getBoundingClientRect();
      let { left, top, right, bottom } = own;
      for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
        if (getComputedStyle(at).overflow !== 'visible') {
          const frame = at.getBoundingClientRect();
          left = Math.max(left, frame.left);
          top = Math.max(top, frame.top);
          right = Math.min(right, frame.right);
          bottom = Math.min(bottom, frame.bottom);
        }
      }
      return new DOMRect(left, top, Math.max(0, right - left), Math.max(0, bottom - top));
    };
    const boxes = leaves.map((element) => ({ element, box: visibleBox(element) }));
    const shown = boxes.filter(({ box, element }) => {
      // Hidden visually, for readers only.
      const isClipped = getComputedStyle(element).clipPath !== 'none' || box.width <= 1;
      return !isClipped && box.height > 1;
    });
    const slack = 2;
    for (const [index, one] of shown.entries()) {
      for (const other of shown.slice(index + 1)) {
        const isNested = one.element.contains(other.element) || other.element.contains(one.element);
        const width = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const height = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        if (!isNested && width > slack && height > slack) {
          const layers = [one.element, other.element].map((element) => layerOf(element));
          // What is fixed or a dialog is above the rest on purpose.
          if (layers[0] === layers[1]) {
            faults.push(`${describe(one.element)} overlaps ${describe(other.element)}`);
          }
        }
      }
    }
    /** The element that takes this one out of the flow of the page. */
    function layerOf(element: Element): Element | null {
      for (let at: Element | null = element; at; at = at.parentElement) {
        if (at.matches('dialog') || ['fixed', 'sticky'].includes(getComputedStyle(at).position)) {
          return at;
        }
      }
      return null;
    }
    return faults.slice(0, 10);
  });
  assert.deepEqual(faults, [], `the layout of ${state}`);
}
