/**
 * Copies text to the clipboard.
 */

/** Copies text. Returns whether the browser let it happen. */
export async function copyText(text: string): Promise<boolean> {
  try {
    // Only secure contexts have it.
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // The user or a policy forbids it. The old way may work.
  }
  return copySelection(text);
}

function copySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'hidden-text';
  // A modal dialog makes everything outside of it inert.
  (document.querySelector('dialog[open]') ?? document.body).append(field);
  field.select();
  try {
    return document.execCommand('copy');
  } finally {
    field.remove();
    (focused as HTMLElement | null)?.focus();
  }
}
