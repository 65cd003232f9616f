/**
 * The parts that need no broker: checksums, retries, paths, and the formats of headers and streams.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Crc64, resumeKey, UnavailableError } from 'upload-broker-client';

import { nextCursor } from '../src/http/pages.js';
import { fillPath } from '../src/http/paths.js';
import { delayAfter, parseRetryAfter, retry } from '../src/http/retry.js';
import { SseParser } from '../src/sse.js';
import { ProgressMeter } from '../src/upload/progress.js';
import { bytesOf } from './support/broker.js';

const encode = (text: string) => new TextEncoder().encode(text);

test('checksums equal published values', () => {
  // The check value of the CRC catalogue, and vectors of the NVM Express specification (4 KiB of
  // zeros, of ones, and of counting bytes).
  const vectors: [Uint8Array, string][] = [
    [encode('123456789'), 'ae8b14860a799888'],
    [new Uint8Array(4096), '6482d367eb22b64e'],
    [new Uint8Array(4096).fill(0xff), 'c0ddba7302eca3ac'],
    [new Uint8Array(4096).map((_, index) => index & 0xff), '3e729f5f6750449c'],
    [new Uint8Array(0), '0000000000000000'],
  ];
  for (const [bytes, expected] of vectors) {
    assert.equal(new Crc64().update(bytes).hex(), expected);
  }
  assert.deepEqual(new Crc64().update(encode('123456789')).checksum(), {
    algorithm: 'CRC64NVME',
    value: 'rosUhgp5mIg=',
  });
});

test('checksum does not depend on how the bytes are divided', () => {
  const bytes = bytesOf(1000);
  const expected = new Crc64().update(bytes).hex();
  for (let first = 0; first <= 20; first++) {
    const crc = new Crc64().update(bytes.subarray(0, first)).update(bytes.subarray(first));
    assert.equal(crc.hex(), expected, `${first} bytes first`);
  }
});

test('retries follow the server, never exceed the limit, and stop at final errors', async () => {
  const options = { attempts: 3, delayMs: 100, maxDelayMs: 5000 };
  for (let failures = 1; failures < 20; failures++) {
    assert.ok(delayAfter(failures, undefined, options) <= 5000);
  }
  assert.ok(delayAfter(1, 2000, options) >= 2000);
  assert.equal(delayAfter(1, 3_600_000, options), 5000);

  let attempts = 0;
  const fail = async (error: Error) => {
    attempts += 1;
    throw error;
  };
  const quick = { ...options, delayMs: 1 };
  await assert.rejects(retry(quick, undefined, () => fail(new UnavailableError('away'))), /away/);
  assert.equal(attempts, 3);
  await assert.rejects(retry(quick, undefined, () => fail(new Error('final'))), /final/);
  assert.equal(attempts, 4);
});

test('waiting for a retry ends when the signal is aborted', async () => {
  const options = { attempts: 3, delayMs: 60_000, maxDelayMs: 60_000 };
  const fail = () => Promise.reject(new UnavailableError('away'));
  const started = Date.now();
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(retry(options, controller.signal, fail), { name: 'AbortError' });
  assert.ok(Date.now() - started < 10_000);
});

test('Retry-After is read as seconds and as a date', () => {
  const now = Date.parse('2025-03-01T10:00:00Z');
  assert.equal(parseRetryAfter('3', now), 3000);
  assert.equal(parseRetryAfter('Sat, 01 Mar 2025 10:00:05 GMT', now), 5000);
  assert.equal(parseRetryAfter('Sat, 01 Mar 2025 09:00:00 GMT', now), 0);
  assert.equal(parseRetryAfter('soon', now), undefined);
  assert.equal(parseRetryAfter(null, now), undefined);
});

test('cursor is read from the Link header', () => {
  assert.equal(nextCursor('</datasets?limit=1&cursor=abc>; rel="next"'), 'abc');
  assert.equal(nextCursor('</datasets>; rel="prev"'), undefined);
  assert.equal(nextCursor(null), undefined);
});

test('paths that a URL would change are refused', () => {
  const fill = (path: string) => fillPath('/datasets/{path}/action/download', { path });
  assert.equal(fill('/a b/ü?.csv'), '/datasets/a%20b/%C3%BC%3F.csv/action/download');
  for (const path of ['/a/../b', '/./a', '/a//b', '/a/', '']) {
    assert.throws(() => fill(path), TypeError, path);
  }
});

test('server-sent events are parsed however they are cut', () => {
  const stream =
    ': heartbeat\n\nid: 1\ndata: one\n\nid:2\r\nevent: named\r\ndata: two\r\ndata: lines\r\n\r\n' +
    'retry: 1500\nid: 3\n\ndata\n\ndata: no end';
  const expected = [
    { id: '1', event: 'message', data: 'one' },
    { id: '2', event: 'named', data: 'two\nlines' },
    { id: '3', event: 'message', data: '' },
  ];
  for (let size = 1; size <= stream.length; size++) {
    const parser = new SseParser();
    const messages = [];
    for (let offset = 0; offset < stream.length; offset += size) {
      messages.push(...parser.push(stream.slice(offset, offset + size)));
    }
    assert.deepEqual(messages, expected, `pieces of ${size} characters`);
    assert.equal(parser.retryMs, 1500);
  }
});

test('progress does not decrease when a request is sent again', () => {
  const sent: number[] = [];
  const meter = new ProgressMeter((progress) => sent.push(progress.sentBytes), 100);
  meter.sending(1, 40);
  meter.failed(1);
  meter.sending(1, 10);
  meter.sending(1, 50);
  meter.done(1, 50);
  meter.restart();
  meter.done(1, 50);
  meter.done(2, 50);
  assert.deepEqual(sent, [0, 40, 50, 100]);
});

test('resume keys depend on the file and the path', () => {
  const file = (name: string, lastModified: number) => new File(['abc'], name, { lastModified });
  const key = resumeKey(file('a', 1), '/in/a');
  assert.match(key, /^[!-~]{1,255}$/);
  assert.equal(resumeKey(file('a', 1), '/in/a'), key);
  const others = [
    resumeKey(file('b', 1), '/in/a'),
    resumeKey(file('a', 2), '/in/a'),
    resumeKey(file('a', 1), '/in/b'),
  ];
  assert.ok(!others.includes(key));
});
