/**
 * The place for files and folders: drop them, or choose them.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { takeDropped } from '../collect/drop.js';
import { FileButton } from './FileButton.js';
import type { OnFiles } from './FileButton.js';

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
