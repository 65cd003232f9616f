/**
 * One dataset: what it is, what is proven about it, what happened to it, and what became of it.
 *
 *     #/dataset/data/employees.csv     #/dataset/in/report.pdf?page=3     #/dataset?upload=ID
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import type { ViewProps } from '../app.js';
import { Crumbs } from '../browse/Crumbs.js';
import { lastSegment } from '../browse/entries.js';
import '../browse/browse.css';
import { LiveStatus } from '../live/LiveStatus.js';
import { hrefOf, replaceRoute } from '../route.js';
import type { Session } from '../session/session.js';
import { ErrorNote } from '../ui/ErrorNote.js';
import { StatusBadge } from '../ui/StatusBadge.js';
import { Actions } from './Actions.js';
import './dataset.css';
import { Details } from './Details.js';
import { DriftNote } from './DriftNote.js';
import { History } from './History.js';
import { Missing } from './Missing.js';
import { Preview } from './Preview.js';
import { Processing } from './Processing.js';
import { Receipt } from './Receipt.js';
import { useDataset } from './useDataset.js';

/** Shows a dataset, by its path or by the id of its upload. */
export function DatasetView({ session, route }: ViewProps) {
  const id = route.query.get('upload');
  if (id) {
    return <ByUpload session={session} id={id} />;
  }
  const page = Number(route.query.get('page')) || 1;
  return <ByPath key={route.path} session={session} path={route.path} page={page} />;
}

function ByPath({ session, path, page }: { session: Session; path: string; page: number }) {
  const model = useDataset(session, path);
  const { detail, upload, events, jobs, results } = model.state.value;
  const error = model.error.value;
  const name = lastSegment(path);
  const reload = () => void model.load();
  return (
    <>
      <div class="spread head">
        <Crumbs folder={path.slice(0, path.length - name.length)} file={name} />
        <LiveStatus session={session} onReload={reload} />
      </div>
      {error != null && <ErrorNote error={error} onRetry={reload} />}
      {!model.isLoaded.value && error == null && <p aria-busy="true">Loading …</p>}
      {model.isLoaded.value && !detail && <Missing session={session} path={path} upload={upload} />}
      {detail && (
        <div class="dataset">
          <div class="spread">
            <div class="row">
              {upload && <StatusBadge status={upload.status} />}
              {!upload && detail.upload && <StatusBadge status={detail.upload.status} />}
              {detail.drifted && <StatusBadge status="Drifted" />}
            </div>
          </div>
          <Actions session={session} model={model} detail={detail} />
          {detail.drifted && <DriftNote detail={detail} upload={upload} />}
          <div class="columns">
            <Details detail={detail} upload={upload} />
            <Receipt detail={detail} upload={upload} session={session} />
          </div>
          <Preview session={session} detail={detail} />
          <Processing
            session={session}
            upload={upload}
            jobs={jobs}
            results={results}
            page={page}
            onChange={reload}
          />
        </div>
      )}
      {upload && model.isLoaded.value && <History events={events} />}
    </>
  );
}

function ByUpload({ session, id }: { session: Session; id: string }) {
  const error = useSignal<unknown>(null);
  const find = () => {
    error.value = null;
    session.client.getUpload(id).then(
      ({ path }) => replaceRoute(hrefOf('dataset', path)),
      (cause: unknown) => (error.value = cause),
    );
  };
  useEffect(find, [id]);
  return error.value != null ? (
    <ErrorNote error={error.value} onRetry={find} />
  ) : (
    <p aria-busy="true">Loading …</p>
  );
}
