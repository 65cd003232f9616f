/**
 * What is refused before a byte is sent. The broker decides; this only spares the user the wait.
 */
import type { ErrorWords } from '../../words/errors.js';
import { formatBytes } from '../../words/numbers.js';
import type { Limits } from './messages.js';

/** Why a file cannot be uploaded; null if nothing is known against it. */
export function refusalOf(file: { size: number; type: string }, limits: Limits): ErrorWords | null {
  const { maxSize, contentTypes } = limits;
  if (maxSize !== null && file.size > maxSize) {
    return {
      title: `Too large: ${formatBytes(file.size)}`,
      advice: `The largest upload with this key has ${formatBytes(maxSize)}.`,
      requestId: null,
    };
  }
  // The browser does not know every type. The broker derives it from the ending of the name.
  if (contentTypes !== null && file.type && !contentTypes.some((type) => matches(type, file.type))) {
    return {
      title: `Files of the type ${file.type} are not accepted`,
      advice: `This key accepts: ${contentTypes.join(', ')}.`,
      requestId: null,
    };
  }
  return null;
}

/** Whether a content type matches a pattern such as `image/*`. */
function matches(pattern: string, type: string): boolean {
  const bare = type.split(';', 1)[0]!.trim().toLowerCase();
  const wanted = pattern.toLowerCase();
  return wanted.endsWith('/*') ? bare.startsWith(wanted.slice(0, -1)) : bare === wanted;
}
