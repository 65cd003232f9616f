/**
 * What the jobs of a dataset have written.
 */
import { lastSegment } from '../browse/entries.js';
import { hrefOf } from '../route.js';
import type { Session } from '../session/session.js';
import { formatBytes } from '../words/numbers.js';
import { TablePreview } from './TablePreview.js';
import type { ResultEntry } from './useDataset.js';

/** Smaller versions of an image. */
export function Thumbnails({ results }: { results: ResultEntry[] }) {
  if (results.length === 0) {
    return null;
  }
  return (
    <section class="card" aria-labelledby="thumbnails">
      <h2 id="thumbnails">Thumbnails</h2>
      <div class="thumbnails">
        {results.map(({ path, size, download_url: url }) => (
          <figure key={path}>
            <img src={url} alt={`Thumbnail ${lastSegment(path)}`} loading="lazy" />
            <figcaption>
              <a href={hrefOf('dataset', path)}>{lastSegment(path)}</a>{' '}
              <span class="hint">{formatBytes(size)}</span>
            </figcaption>
          </figure>
        ))}
      </div>
    </section>
  );
}

/** Results that are tables. */
export function Tables({ session, results }: { session: Session; results: ResultEntry[] }) {
  return (
    <>
      {results.map((result) => (
        <section key={result.path + result.etag} class="card" aria-label={`Result ${lastSegment(result.path)}`}>
          <div class="spread">
            <h2>Result of {result.processor}</h2>
            <a href={hrefOf('dataset', result.path)}>{lastSegment(result.path)}</a>
          </div>
          <TablePreview
            client={session.client}
            path={result.path}
            size={result.size}
            url={result.download_url}
          />
        </section>
      ))}
    </>
  );
}

/** Results that are shown as links. */
export function OtherResults({ results }: { results: ResultEntry[] }) {
  if (results.length === 0) {
    return null;
  }
  return (
    <section class="card" aria-labelledby="results">
      <h2 id="results">Other results</h2>
      <ul>
        {results.map(({ kind, path, size }) => (
          <li key={path}>
            <a href={hrefOf('dataset', path)}>{lastSegment(path)}</a>{' '}
            <span class="hint">{kind}, {formatBytes(size)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
