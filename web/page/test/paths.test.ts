/** Paths and names of uploads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { folderProblem, joinPath, normalizeFolder } from '../src/upload/collect/paths.js';
import { numberedPath } from '../src/upload/engine/names.js';

test('folder gets its slashes, however the user writes it', () => {
  assert.equal(normalizeFolder('in'), '/in/');
  assert.equal(normalizeFolder(' /in//2026/ '), '/in/2026/');
  assert.equal(normalizeFolder(''), '/');
  assert.equal(normalizeFolder('/'), '/');
});

test('folder outside of the prefix, or with dots, has a problem', () => {
  assert.equal(folderProblem('/in/data', '/in/'), null);
  assert.equal(folderProblem('in', '/in/'), null);
  assert.equal(folderProblem('/', '/'), null);
  assert.match(folderProblem('/input/', '/in/')!, /below \/in\/ only/);
  assert.match(folderProblem('/in/../secret', '/in/')!, /\.\./);
  assert.match(folderProblem('/in/\u0007', '/in/')!, /control character/);
});

test('file keeps its path below the folder', () => {
  assert.equal(joinPath('/in/', 'photos/2026/a.jpg'), '/in/photos/2026/a.jpg');
  assert.equal(joinPath('/in/', '/photos/a.jpg'), '/in/photos/a.jpg');
});

test('number is added before the ending of the name', () => {
  assert.equal(numberedPath('/in/report.csv', 2), '/in/report (2).csv');
  assert.equal(numberedPath('/in/archive.tar.gz', 3), '/in/archive.tar (3).gz');
  assert.equal(numberedPath('/in.d/README', 2), '/in.d/README (2)');
  assert.equal(numberedPath('/in/.profile', 2), '/in/.profile (2)');
});
