/**
 * A web site of another origin than the broker: one page with a bundled script.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { build } from 'esbuild';

import { ROOT } from './places.js';

/** A page of the site. */
export interface SitePage {
  /** The file of its script, from the root of the repository. */
  script: string;
  /** The body of its document. */
  body: string;
  /** Packages that are replaced by others. */
  alias?: Record<string, string>;
}

/** A running site. Its pages are at `/NAME`. */
export class Site {
  private constructor(readonly server: Server) {}

  static async start(pages: Record<string, SitePage>): Promise<Site> {
    const files = new Map<string, { type: string; text: string }>();
    for (const [name, page] of Object.entries(pages)) {
      files.set(`/${name}`, { type: 'text/html; charset=utf-8', text: documentOf(name, page) });
      files.set(`/${name}.js`, { type: 'text/javascript', text: await bundle(page) });
    }
    const server = createServer((request, response) => {
      const file = files.get(request.url ?? '');
      response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain' });
      response.end(file?.text);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Site(server);
  }

  /** The origin of the pages. */
  get origin(): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

function documentOf(name: string, page: SitePage): string {
  return `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>${name}</title><link rel="icon" href="data:," /></head>
  <body>${page.body}<script type="module" src="/${name}.js"></script></body>
</html>
`;
}

async function bundle(page: SitePage): Promise<string> {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: [page.script],
    alias: { 'upload-broker-client': './web/client/src/index.ts', ...page.alias },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    nodePaths: [`${ROOT}tests/browser/node_modules`],
    logLevel: 'error',
  });
  return result.outputFiles[0]?.text ?? '';
}
