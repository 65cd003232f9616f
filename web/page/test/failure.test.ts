/** What a failure means for the queue. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  BrokerError,
  ConflictError,
  SessionEndedError,
  StoreError,
  UnavailableError,
} from 'upload-broker-client';
import type { Problem, Upload } from 'upload-broker-client';

import { kindOfFailure } from '../src/upload/engine/failure.js';

function problemOf(code: string, status: number): Problem {
  return { type: '', title: code, status, detail: '', instance: '', code, request_id: 'r' };
}

function refused(status: number, code: string): BrokerError {
  return new BrokerError(status, problemOf(code, status));
}

test('errors are sorted by what helps', () => {
  const cases: [unknown, string][] = [
    [new ConflictError(409, problemOf('dataset-exists', 409)), 'conflict'],
    [refused(401, 'unauthorized'), 'credential'],
    [refused(403, 'insufficient-scope'), 'final'],
    [refused(422, 'size-limit-exceeded'), 'final'],
    [refused(422, 'idempotency-key-reused'), 'session'],
    [refused(429, 'rate-limited'), 'network'],
    [refused(503, 'unavailable'), 'network'],
    [new UnavailableError('The broker does not answer'), 'network'],
    [new SessionEndedError({ id: 'u', status: 'Expired' } as Upload), 'session'],
    [new StoreError(503, 'SlowDown', true), 'network'],
    [new StoreError(400, 'BadDigest', true), 'again'],
    [new StoreError(400, 'EntityTooLarge', false), 'final'],
    [new DOMException('gone', 'NotReadableError'), 'final'],
  ];
  for (const [error, kind] of cases) {
    assert.equal(kindOfFailure(error), kind, String(error));
  }
});
