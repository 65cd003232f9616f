/**
 * Folders and programs.
 */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

/** The root of the repository, with a slash at the end. The tests run in `tests/browser`. */
export const ROOT = `${resolve('../..')}/`;
/** Screenshots are stored here. */
export const PICTURES = `${ROOT}target/browser/`;
mkdirSync(PICTURES, { recursive: true });
/** The broker. */
export const BINARY = process.env.TEST_BROKER_BINARY ?? `${ROOT}target/debug/upload-broker`;
