/**
 * What the credential may do.
 */
import type { components } from '../../../client/src/schema.js';

/** The answer of `GET /principal`. */
export type Principal = components['schemas']['Principal'];

/** A right of a credential. */
export type Scope = Principal['scopes'][number];

/** Whether the credential has a scope; `admin` includes all others. */
export function hasScope({ scopes }: Principal, scope: Scope): boolean {
  return scopes.includes(scope) || scopes.includes('admin');
}
