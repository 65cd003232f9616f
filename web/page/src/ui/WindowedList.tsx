/**
 * A list of which only the rows near the screen are in the document, however many there are.
 *
 * It scrolls with the page. Browsers limit the height of an element to some millions of pixels, so
 * that the height of very long lists is scaled down.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

/** Less than the limit of all browsers. */
const MAX_HEIGHT = 8_000_000;
/** Rows beyond the screen, so that scrolling shows no gaps. */
const MARGIN_ROWS = 12;

/**
 * Shows rows of the same height. `onReachEnd` is called when the last rows come near the screen.
 * The row that has the focus stays in the document while it is scrolled away.
 */
export function WindowedList<T>({ items, rowHeight, render, label, keyOf, onReachEnd }: {
  items: readonly T[];
  rowHeight: number;
  render: (item: T, index: number) => ComponentChildren;
  label: string;
  /** Identifies an item, where items are removed or inserted; the index by default. */
  keyOf?: (item: T) => string | number;
  onReachEnd?: () => void;
}) {
  const list = useRef<HTMLUListElement>(null);
  const focused = useSignal<number | null>(null);
  const first = useSignal(0);
  /** Where the first of the rows in the document is, in pixels. */
  const offset = useSignal(0);
  const visible = useSignal(30);
  const height = Math.min(items.length * rowHeight, MAX_HEIGHT);

  useLayoutEffect(() => {
    const update = () => {
      const box = list.current?.getBoundingClientRect();
      if (!box) {
        return;
      }
      const rows = innerHeight / rowHeight;
      const span = Math.max(1, box.height - innerHeight);
      const share = Math.min(1, Math.max(0, -box.top / span));
      const isScaled = items.length * rowHeight > MAX_HEIGHT;
      const top = isScaled ? share * (items.length - rows) : -box.top / rowHeight;
      const start = Math.max(0, Math.min(Math.floor(top) - MARGIN_ROWS, items.length - 1));
      first.value = start;
      visible.value = Math.ceil(rows) + 2 * MARGIN_ROWS;
      // The rows keep their height in a list that is scaled, so that only those on the screen are
      // where they belong.
      const scrolled = Math.max(0, share * span);
      offset.value = isScaled ? scrolled + (start - top) * rowHeight : start * rowHeight;
    };
    update();
    addEventListener('scroll', update, { passive: true });
    addEventListener('resize', update);
    return () => {
      removeEventListener('scroll', update);
      removeEventListener('resize', update);
    };
  }, [items.length, rowHeight]);

  const start = Math.min(first.value, Math.max(0, items.length - 1));
  const end = Math.min(items.length, start + visible.value);
  const isAtEnd = end >= items.length;
  useEffect(() => {
    if (isAtEnd) {
      onReachEnd?.();
    }
  }, [isAtEnd, items.length]);

  const shown = items.slice(start, end).map((item, index) => ({ item, index: start + index }));
  const kept = focused.value !== null && items[focused.value];
  if (kept && (focused.value! < start || focused.value! >= end)) {
    shown.push({ item: kept, index: focused.value! });
  }
  return (
    <ul
      ref={list}
      class="windowed"
      aria-label={label}
      style={{ height: `${height}px` }}
      onFocusIn={(event) => (focused.value = indexOf(event.target))}
      onFocusOut={() => (focused.value = null)}
    >
      {shown.map(({ item, index }) => (
        <li
          key={keyOf ? keyOf(item) : index}
          aria-setsize={items.length}
          aria-posinset={index + 1}
          style={{ height: `${rowHeight}px`, top: `${offset.value + (index - start) * rowHeight}px` }}
        >
          {render(item, index)}
        </li>
      ))}
    </ul>
  );
}

/** The index of the row that contains an element. */
function indexOf(target: EventTarget | null): number | null {
  const row = target instanceof Element ? target.closest('li[aria-posinset]') : null;
  return row ? Number(row.getAttribute('aria-posinset')) - 1 : null;
}
