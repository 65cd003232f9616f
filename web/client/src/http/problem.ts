/**
 * Turns error answers of the broker into errors.
 */
import { BrokerError, ConflictError, UnavailableError } from '../errors.js';
import type { Problem } from '../schema-types.js';
import { parseRetryAfter } from './retry.js';

/** The error for an answer that is not a success. */
export async function errorOf(response: Response): Promise<Error> {
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'));
  const problem = parseProblem(await response.text());
  if (!problem) {
    // For example a proxy in front of the broker.
    return response.status >= 500 || response.status === 429
      ? new UnavailableError(`The broker answered ${response.status}`, { retryAfterMs })
      : new Error(`The answer has status ${response.status} but is not one of an upload-broker`);
  }
  return brokerErrorOf(response.status, problem, retryAfterMs);
}

/** The error for a problem. */
export function brokerErrorOf(
  status: number,
  problem: Problem,
  retryAfterMs?: number,
): BrokerError {
  const kind = problem.code === 'dataset-exists' ? ConflictError : BrokerError;
  return new kind(status, problem, retryAfterMs);
}

function parseProblem(text: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isProblem = typeof value === 'object' && value !== null && 'code' in value;
    return isProblem ? (value as Problem) : undefined;
  } catch {
    return undefined;
  }
}
