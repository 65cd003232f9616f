/**
 * The example for Node, as a person runs it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { brokerKey, brokerUrl, newPath } from './support/broker.js';

/** Runs the compiled example. */
async function run(...args: string[]) {
  const env = { ...process.env, UPLOAD_BROKER_URL: brokerUrl, UPLOAD_BROKER_KEY: brokerKey };
  const program = ['--no-warnings', 'build/examples/node.js', ...args];
  const child = spawn(process.execPath, program, { env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

test('Node example uploads a file, returns its receipt again, and reports a conflict', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'upload-'));
  const file = join(folder, 'größe 1.csv');
  const path = newPath('größe 1.csv');
  try {
    await writeFile(file, 'id,name\n1,Ada\n');
    for (const attempt of [1, 2]) {
      const { code, stdout, stderr } = await run(file, path);
      assert.equal(code, 0, `attempt ${attempt}: ${stderr}`);
      assert.equal(stdout, `${path} is Uploaded: checksum verified\n`);
    }
    await writeFile(file, 'id,name\n1,Grace\n');
    const conflict = await run(file, path);
    assert.equal(conflict.code, 1);
    assert.match(conflict.stderr, /Another dataset stands at/);
    assert.equal((await run(file)).code, 2);
  } finally {
    await rm(folder, { recursive: true });
  }
});
