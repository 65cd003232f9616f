/**
 * The same action on many datasets.
 */

/** A dataset on which the action failed. */
export interface ActionFailure {
  path: string;
  error: unknown;
}

/**
 * Runs an action on each path, some at the same time. A failure does not end the others. Returns
 * the failures; nothing further is started after the signal is aborted.
 */
export async function inTurn(
  paths: string[],
  width: number,
  signal: AbortSignal,
  action: (path: string) => Promise<void>,
): Promise<ActionFailure[]> {
  const failures: ActionFailure[] = [];
  let next = 0;
  const work = async () => {
    while (next < paths.length && !signal.aborted) {
      const path = paths[next++] ?? '';
      try {
        await action(path);
      } catch (error) {
        if (!signal.aborted) {
          failures.push({ path, error });
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, paths.length) }, work));
  return failures;
}
