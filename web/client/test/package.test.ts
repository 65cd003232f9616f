/**
 * The package: what it contains and depends on.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

const read = (file: string) => readFile(file, 'utf8');

/** The files below a folder. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

test('package needs openapi-fetch at run time, and nothing else', async () => {
  const { dependencies } = JSON.parse(await read('package.json'));
  assert.deepEqual(Object.keys(dependencies), ['openapi-fetch']);
});

test('lock file names no host that packages came from', async () => {
  const { packages } = JSON.parse(await read('package-lock.json'));
  for (const [name, { resolved }] of Object.entries<{ resolved?: string }>(packages)) {
    const isOfRegistry = resolved?.startsWith('https://registry.npmjs.org/') ?? true;
    assert.ok(isOfRegistry, `${name} is resolved to another registry`);
  }
});

test('files have at most 300 lines', async () => {
  for (const folder of ['src', 'test', 'examples', 'scripts']) {
    for (const file of await filesBelow(folder)) {
      const lines = (await read(file)).split('\n').length - 1;
      assert.ok(lines <= 300 || file.endsWith('schema.d.ts'), `${file} has ${lines} lines`);
    }
  }
});

test('code for browsers imports no module of Node', async () => {
  for (const file of await filesBelow('dist')) {
    assert.doesNotMatch(await read(file), /(from|import\() *'node:/, file);
  }
});
