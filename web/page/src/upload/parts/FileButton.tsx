/**
 * A button for files. It is an input element, so that every browser, keyboard and screen reader can
 * use it; where the browser has a dialog that returns handles, that one opens.
 */
import { foundInHandles, foundInList } from '../collect/found.js';
import type { Found } from '../collect/found.js';
import { filePicker } from '../collect/pick.js';

/** Receives the files while they are found. */
export type OnFiles = (chunks: AsyncIterable<Found[]>, isSingle: boolean) => void;

/** A button that opens the dialog of the browser for files or for a folder. */
export function FileButton({ label, onFiles, problem, isPrimary = false, isFolder = false }: {
  label: string;
  onFiles: OnFiles;
  problem: string | null;
  isPrimary?: boolean;
  isFolder?: boolean;
}) {
  const change = (event: Event) => {
    const input = event.currentTarget as HTMLInputElement;
    const files = Array.from(input.files ?? []);
    // The same file can be chosen again.
    input.value = '';
    if (files.length > 0) {
      onFiles(foundInList(files), files.length === 1 && !isFolder);
    }
  };
  const pick = async (event: MouseEvent) => {
    const picker = isFolder ? null : filePicker();
    if (!picker) {
      return;
    }
    event.preventDefault();
    const input = event.currentTarget as HTMLInputElement;
    try {
      const handles = await picker();
      onFiles(foundInHandles(handles), handles.length === 1);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'AbortError')) {
        // The browser refuses, for example in an embedded page. The old dialog works.
        HTMLInputElement.prototype.showPicker?.call(input);
      }
    }
  };
  return (
    <label
      class={`button file-button ${isPrimary ? 'primary' : ''}`}
      data-disabled={problem !== null || undefined}
    >
      {label}
      <input
        type="file"
        multiple
        disabled={problem !== null}
        {...(isFolder && { webkitdirectory: true })}
        onClick={pick}
        onChange={change}
      />
    </label>
  );
}
