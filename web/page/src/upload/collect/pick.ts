/**
 * The file dialog that returns handles, where the browser has it.
 */

type Picker = (options: { multiple: boolean }) => Promise<FileSystemFileHandle[]>;

/** The dialog; null if the browser has none. */
export function filePicker(): (() => Promise<FileSystemFileHandle[]>) | null {
  const { showOpenFilePicker } = window as { showOpenFilePicker?: Picker };
  return showOpenFilePicker ? () => showOpenFilePicker.call(window, { multiple: true }) : null;
}
