/**
 * Upload tokens, as the back end of a page requests them.
 */
import assert from 'node:assert/strict';

import type { components } from 'upload-broker-client';

import type { Stage } from './stage.js';

/** Makes an upload token. Without more options it may write below the prefix. */
export async function newToken(
  stage: Stage,
  options: components['schemas']['CreateToken'],
): Promise<string> {
  const { data, error } = await stage.client().api.POST('/tokens', { body: options });
  assert.ok(data, JSON.stringify(error));
  return data.token;
}
