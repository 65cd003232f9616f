/** Files that are chosen again after a reload. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { matchFile } from '../src/upload/memory/match.js';
import type { UploadRecord } from '../src/upload/memory/records.js';

function recordOf(change: Partial<UploadRecord> = {}): UploadRecord {
  return {
    key: 'k',
    tenant: 'default',
    tab: 't',
    path: '/in/report.bin',
    fileName: 'report.bin',
    size: 10,
    lastModified: 5,
    details: {},
    overwrite: false,
    ...change,
  };
}

const FILE = { name: 'report.bin', size: 10, lastModified: 5 };
const hash = (value: string) => async () => value;
const never = () => assert.fail('the file is not read');

test('file with the same name, size and time is the same; its start is compared if it is known', async () => {
  const plain = recordOf();
  assert.deepEqual(await matchFile(FILE, [plain], never), { kind: 'same', record: plain });
  const hashed = recordOf({ firstBytes: 'aa' });
  assert.deepEqual(await matchFile(FILE, [hashed], hash('aa')), { kind: 'same', record: hashed });
});

test('the reason is named why a file with the name of an upload is another one', async () => {
  const record = recordOf({ firstBytes: 'aa' });
  const reasonFor = async (change: object, start = 'aa') => {
    const match = await matchFile({ ...FILE, ...change }, [record], hash(start));
    assert.equal(match.kind, 'changed');
    return match.kind === 'changed' && match.reason;
  };
  assert.equal(await reasonFor({ size: 11 }), 'it has another size');
  assert.equal(await reasonFor({ lastModified: 6 }), 'it was changed since');
  assert.equal(await reasonFor({}, 'bb'), 'its content is different');
});

test('file with another name belongs to no upload', async () => {
  const match = await matchFile({ ...FILE, name: 'other.bin' }, [recordOf()], never);
  assert.deepEqual(match, { kind: 'unknown' });
});

test('of files with the same name in several folders, the one with the same content is found', async () => {
  const first = recordOf({ key: '1', path: '/a/report.bin', firstBytes: 'aa' });
  const second = recordOf({ key: '2', path: '/b/report.bin', firstBytes: 'bb' });
  const match = await matchFile(FILE, [first, second], hash('bb'));
  assert.deepEqual(match, { kind: 'same', record: second });
});
