/**
 * The datasets, by folder or by the beginning of their paths.
 *
 *     #/browse/data/?sort=-size     #/browse/?starts=/data/2026
 */
import { LiveStatus } from '../live/LiveStatus.js';
import { goTo, hrefOf, replaceRoute } from '../route.js';
import { hasScope } from '../session/principal.js';
import type { ViewProps } from '../app.js';
import './browse.css';
import { Crumbs } from './Crumbs.js';
import { formatSort, parseSort } from './entries.js';
import type { Sort } from './entries.js';
import { Listing } from './Listing.js';
import { StartsWith } from './StartsWith.js';
import { useListing } from './useListing.js';

/** Lists datasets. */
export function BrowseView({ session, route }: ViewProps) {
  const folder = route.path.endsWith('/') ? route.path : `${route.path}/`;
  const starts = route.query.get('starts') ?? '';
  const isFlat = starts !== '';
  const prefix = isFlat ? `/${starts.replace(/^\//, '')}` : folder;
  const list = useListing(session, prefix, isFlat);
  const sort = parseSort(route.query.get('sort'));

  const hrefWith = (changes: { starts?: string; sort?: Sort }) => {
    const query: Record<string, string> = {};
    const newStarts = changes.starts ?? starts;
    const newSort = formatSort(changes.sort ?? sort);
    if (newStarts) {
      query.starts = newStarts;
    }
    if (newSort !== 'name') {
      query.sort = newSort;
    }
    return hrefOf('browse', folder, query);
  };
  const canUpload = hasScope(session.principal, 'uploads:write');

  return (
    <>
      <div class="spread head">
        <Crumbs folder={folder} isCurrent={!isFlat} />
        <div class="row">
          <LiveStatus session={session} onReload={() => void list.reload()} />
          {canUpload && (
            <a class="button primary" href={hrefOf('upload', '/', { to: folder })}>Upload here</a>
          )}
        </div>
      </div>
      <StartsWith value={starts} onChange={(text) => replaceRoute(hrefWith({ starts: text }))} />
      <Listing
        key={prefix + String(isFlat)}
        session={session}
        list={list}
        prefix={prefix}
        isFlat={isFlat}
        sort={sort}
        onSort={(newSort) => goTo(hrefWith({ sort: newSort }))}
      />
    </>
  );
}
