/**
 * The parts of a browser that the tests need: jsdom, whose XMLHttpRequest sends real requests and
 * obeys CORS. Import it before anything that expects a browser.
 */
import { JSDOM } from 'jsdom';

const { window } = new JSDOM('<div id="root"></div><form id="dropzone"></form>', {
  url: 'http://localhost/',
  pretendToBeVisual: true,
});

/** jsdom has no `Blob.arrayBuffer`, which every browser has. */
function arrayBuffer(this: Blob): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    const reader = new window.FileReader();
    reader.onload = () => resolve(reader.result as ArrayBuffer);
    reader.onerror = () => reject(reader.error);
    reader.readAsArrayBuffer(this);
  });
}
window.Blob.prototype.arrayBuffer = arrayBuffer;

const NAMES = [
  'window',
  'document',
  'navigator',
  'CustomEvent',
  'XMLHttpRequest',
  'Blob',
  'File',
  'HTMLElement',
  'MutationObserver',
] as const;
for (const name of NAMES) {
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true });
}
/** React needs this to run updates in `act`. */
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

/** A file as an input element gives it. */
export function fileOf(bytes: Uint8Array<ArrayBuffer>, name: string): File {
  return new window.File([bytes], name, { lastModified: 1 }) as unknown as File;
}

/** The element with this id. */
export function element(id: string): HTMLElement {
  return window.document.getElementById(id)!;
}

/** Lets an input element select a file, as a person does. */
export function select(input: HTMLInputElement, file: File): void {
  Object.defineProperty(input, 'files', { value: [file], configurable: true });
  input.dispatchEvent(new window.Event('change', { bubbles: true }));
}
