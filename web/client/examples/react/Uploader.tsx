/**
 * A file input that uploads the selected file to a folder, with its progress and a button to stop.
 * Selecting the same file again resumes an upload that was stopped, also after the page was
 * reloaded.
 */
import { useEffect, useRef, useState } from 'react';
import type { ChangeEvent } from 'react';

import { resumeKey } from 'upload-broker-client';
import type { BrokerClient, Upload } from 'upload-broker-client';

type State =
  | { kind: 'idle' }
  | { kind: 'sending'; percent: number }
  | { kind: 'done'; receipt: Upload }
  | { kind: 'failed'; reason: string };

export interface UploaderProps {
  /** A client whose credential is an upload token from your back end. */
  broker: BrokerClient;
  /** The folder with its slashes, such as `/in/`. */
  folder: string;
  /** Is called with the receipt of each upload. */
  onUploaded?: (receipt: Upload) => void;
}

export function Uploader({ broker, folder, onUploaded }: UploaderProps) {
  const [state, setState] = useState<State>({ kind: 'idle' });
  const controller = useRef<AbortController | null>(null);

  useEffect(() => () => controller.current?.abort(new Error('The page was left')), []);

  async function send(event: ChangeEvent<HTMLInputElement>) {
    const file = event.target.files?.[0];
    if (!file) {
      return;
    }
    const path = folder + file.name;
    controller.current = new AbortController();
    setState({ kind: 'sending', percent: 0 });
    try {
      const receipt = await broker.upload(file, {
        path,
        idempotencyKey: resumeKey(file, path),
        signal: controller.current.signal,
        onProgress: ({ sentBytes }) => {
          setState({ kind: 'sending', percent: Math.floor((100 * sentBytes) / (file.size || 1)) });
        },
      });
      setState({ kind: 'done', receipt });
      onUploaded?.(receipt);
    } catch (error) {
      setState({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
    }
  }

  return (
    <div>
      <input type="file" onChange={send} disabled={state.kind === 'sending'} />
      {state.kind === 'sending' && (
        <>
          <progress value={state.percent} max={100} />
          <button type="button" onClick={() => controller.current?.abort(new Error('Stopped'))}>
            Stop
          </button>
        </>
      )}
      <p role="status">
        {state.kind === 'done' && `${state.receipt.path} has arrived`}
        {state.kind === 'failed' && state.reason}
      </p>
    </div>
  );
}
