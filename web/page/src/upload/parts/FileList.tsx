/**
 * The list of files.
 */
import { useSignal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { WindowedList } from '../../ui/WindowedList.js';
import { hasScope } from '../../session/principal.js';
import type { Session } from '../../session/session.js';
import type { Filter, ShownRow } from '../state/rows.js';
import { rows, rowsVersion } from '../state/uploads.js';
import { FileRow, ROW_HEIGHT } from './FileRow.js';
import { ResultDialog } from './ResultDialog.js';

/** The files that the filter selects. */
export function FileList({ filter, session }: { filter: Signal<Filter>; session: Session }) {
  const shown = useSignal<ShownRow | null>(null);
  const rowHeight = useRowHeight();
  // Rows are changed in place: the version says that something has changed.
  rowsVersion.value;
  const items = rows.filter(filter.value);
  const canRead = hasScope(session.principal, 'datasets:read');
  if (rows.all.length === 0) {
    return null;
  }
  return (
    <section aria-label="Files" class="file-list">
      {items.length === 0 && <p class="hint">No file is in this state.</p>}
      <WindowedList
        items={items}
        rowHeight={rowHeight.value}
        label="Files"
        keyOf={({ id }) => id}
        render={(row) => (
          <FileRow row={row} canRead={canRead} onDetails={(chosen) => (shown.value = chosen)} />
        )}
      />
      {shown.value && (
        <ResultDialog row={shown.value} canRead={canRead} onClose={() => (shown.value = null)} />
      )}
    </section>
  );
}

/** The height of a row in pixels. It grows with the font size that the user has chosen. */
function useRowHeight() {
  const height = useSignal(ROW_HEIGHT * 16);
  useEffect(() => {
    const measure = () => {
      const fontSize = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      height.value = Math.round(ROW_HEIGHT * (fontSize || 16));
    };
    measure();
    addEventListener('resize', measure);
    return () => removeEventListener('resize', measure);
  }, []);
  return height;
}
