/**
 * The place for files and folders: drop them, or choose them.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { takeDropped } from '../collect/drop.js';
import { foundInHandles, foundInList } from '../collect/found.js';
import type { Found } from '../collect/found.js';
import { filePicker } from '../collect/pick.js';

/** Receives the files while they are found. */
export type OnFiles = (chunks: AsyncIterable<Found[]>, isSingle: boolean) => void;

/** Lets the user drop or choose files and folders. */
export function DropZone({ onFiles, problem }: {
  onFiles: OnFiles;
  /** Why no files can be added at the moment. */
  problem: string | null;
}) {
  const isOver = useSignal(false);
  useEffect(keepFilesFromOpening, []);

  const drop = (event: DragEvent) => {
    event.preventDefault();
    isOver.value = false;
    const { dataTransfer } = event;
    if (dataTransfer && !problem) {
      // A dropped folder has no type. What looks like a single file and is a folder gets no name.
      const [first, ...others] = Array.from(dataTransfer.items);
      const isFile = first?.webkitGetAsEntry?.()?.isFile ?? true;
      onFiles(takeDropped(dataTransfer), others.length === 0 && isFile);
    }
  };
  return (
    <section
      class="drop-zone"
      aria-label="Add files"
      data-over={isOver.value || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        isOver.value = !problem;
        if (event.dataTransfer) {
          event.dataTransfer.dropEffect = problem ? 'none' : 'copy';
        }
      }}
      onDragLeave={(event) => {
        isOver.value = event.currentTarget.contains(event.relatedTarget as Node | null);
      }}
      onDrop={drop}
    >
      <p class="drop-title">{isOver.value ? 'Drop to upload' : 'Drop files or folders here'}</p>
      <p class="row drop-buttons">
        <FileButton label="Choose files" onFiles={onFiles} problem={problem} isPrimary />
        <FileButton label="Choose a folder" onFiles={onFiles} problem={problem} isFolder />
      </p>
    </section>
  );
}

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
    <label class={`button file-button ${isPrimary ? 'primary' : ''}`} data-disabled={problem !== null || undefined}>
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

/** Without this, a file that is dropped beside the zone replaces the page. */
function keepFilesFromOpening(): () => void {
  const prevent = (event: DragEvent) => {
    if (!event.defaultPrevented && event.dataTransfer?.types.includes('Files')) {
      event.preventDefault();
      event.dataTransfer.dropEffect = 'none';
    }
  };
  addEventListener('dragover', prevent);
  addEventListener('drop', prevent);
  return () => {
    removeEventListener('dragover', prevent);
    removeEventListener('drop', prevent);
  };
}
