/**
 * What a listing shows if it is empty, and the way on.
 */
import { hrefOf } from '../route.js';
import { hasScope } from '../session/principal.js';
import type { Session } from '../session/session.js';

/** Says that nothing is there. */
export function EmptyListing({ session, prefix, isFlat }: {
  session: Session;
  prefix: string;
  isFlat: boolean;
}) {
  if (isFlat) {
    return (
      <div class="card empty">
        <h2>No path starts with “{prefix}”</h2>
        <p>Upper and lower case letters are different. To find words in documents, use the search.</p>
        <a class="button" href={hrefOf('search')}>Search in documents</a>
      </div>
    );
  }
  const parent = prefix.replace(/[^/]+\/$/, '');
  return (
    <div class="card empty">
      <h2>{prefix === '/' ? 'There are no datasets yet' : 'There is nothing in this folder'}</h2>
      <p>
        {prefix === '/'
          ? 'What is uploaded, or arrives in the bucket in another way, is listed here.'
          : 'A folder exists as long as a dataset is in it.'}
      </p>
      <p class="row">
        {hasScope(session.principal, 'uploads:write') && (
          <a class="button primary" href={hrefOf('upload', '/', { to: prefix })}>Upload here</a>
        )}
        {prefix !== '/' && <a class="button" href={hrefOf('browse', parent)}>Folder above</a>}
      </p>
    </div>
  );
}
