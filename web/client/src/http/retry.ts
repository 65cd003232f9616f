/**
 * Retries with back-off.
 */
import type { RetryHint } from '../errors.js';
import { sleep } from './signals.js';

/** How often and how fast requests are repeated. */
export interface RetryOptions {
  /** The largest number of attempts, the first included. */
  attempts: number;
  /** The delay before the second attempt in milliseconds; it doubles with each further attempt. */
  delayMs: number;
  /** The longest delay in milliseconds, also if the server asks for a longer one. */
  maxDelayMs: number;
}

/** The default: six attempts, within about ten seconds if the server does not ask for more. */
export const DEFAULT_RETRY: RetryOptions = { attempts: 6, delayMs: 400, maxDelayMs: 30_000 };

/**
 * Runs an operation until it succeeds, fails for good, or has used up its attempts. Only errors
 * that are `transient` are retried.
 */
export async function retry<T>(
  options: RetryOptions,
  signal: AbortSignal | undefined,
  operation: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= options.attempts || !isTransient(error)) {
        throw error;
      }
      await sleep(delayAfter(attempt, error.retryAfterMs, options), signal);
    }
  }
}

/**
 * The delay after a number of failed attempts, in milliseconds: what the server asked for, or a
 * random time around the back-off, so that many clients do not return at the same moment.
 */
export function delayAfter(
  failures: number,
  retryAfterMs: number | undefined,
  options: RetryOptions,
): number {
  const backOff = options.delayMs * 2 ** (failures - 1) * (0.5 + Math.random());
  return Math.min(Math.max(backOff, retryAfterMs ?? 0), options.maxDelayMs);
}

/** The value of a `Retry-After` header (seconds or a date) in milliseconds. */
export function parseRetryAfter(value: string | null, now = Date.now()): number | undefined {
  if (!value) {
    return undefined;
  }
  const seconds = Number(value);
  const milliseconds = Number.isNaN(seconds) ? Date.parse(value) - now : seconds * 1000;
  return Number.isNaN(milliseconds) ? undefined : Math.max(milliseconds, 0);
}

/** Whether a later attempt may succeed. */
export function isTransient(error: unknown): error is RetryHint {
  return error instanceof Error && 'transient' in error && error.transient === true;
}
