/**
 * What the tabs of a browser say to each other about the stream of events.
 */
import type { UploadEvent } from 'upload-broker-client';

/** A message from the tab that reads the stream, or to it. */
export type LiveMessage =
  | { kind: 'event'; event: UploadEvent; cursor: string }
  /** The broker has lost the position: what is shown has to be read again. */
  | { kind: 'reset' }
  /** The connection was opened or has ended. The stream continues at the cursor. */
  | { kind: 'connection'; isOpen: boolean; cursor: string }
  /** A new tab asks for the state. */
  | { kind: 'hello' }
  /** The answer to `hello`. */
  | { kind: 'welcome'; isOpen: boolean; cursor: string };
