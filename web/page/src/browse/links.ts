/**
 * Links that can be passed on.
 */
import { hrefOf } from '../route.js';

/** The address of the page of a dataset. The reader signs in with a credential of their own. */
export function linkToDataset(path: string): string {
  return new URL(hrefOf('dataset', path), location.href).href;
}
