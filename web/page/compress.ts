/**
 * A plugin that writes compressed copies beside the files of the build, so that the server never
 * compresses. They are the same for the same input.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import type { Plugin } from 'vite';

/** Writes `FILE.gz` and `FILE.br` for each file of the build. */
export function compressFiles(): Plugin {
  let folder = '';
  return {
    name: 'compress-files',
    // The unit tests are a build for Node, which no server sends.
    apply: (_, { command, isSsrBuild }) => command === 'build' && !isSsrBuild,
    configResolved: (config) => {
      folder = join(config.root, config.build.outDir);
    },
    closeBundle: async () => {
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (entry.isFile()) {
          await compress(join(entry.parentPath, entry.name));
        }
      }
    },
  };
}

async function compress(path: string): Promise<void> {
  const bytes = await readFile(path);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  await writeFile(`${path}.gz`, gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
  await writeFile(`${path}.br`, brotliCompressSync(bytes, { params }));
}
