/**
 * The frame of the page: who is signed in, the views, and the current one.
 */
import { lazyView } from './ui/lazy.js';
import { Header } from './ui/Header.js';
import { hasScope } from './session/principal.js';
import type { Principal } from './session/principal.js';
import { sessionState } from './session/session.js';
import type { Session } from './session/session.js';
import { SignIn } from './session/SignIn.js';
import { hrefOf, replaceRoute, route } from './route.js';
import type { Route, View } from './route.js';
import { UploadDialogs } from './upload/UploadDialogs.js';
import { UploadView } from './upload/UploadView.js';

const BrowseView = lazyView(() => import('./browse/BrowseView.js').then((m) => m.BrowseView));
const DatasetView = lazyView(() => import('./dataset/DatasetView.js').then((m) => m.DatasetView));
const SearchView = lazyView(() => import('./browse/SearchView.js').then((m) => m.SearchView));
const JobsView = lazyView(() => import('./dataset/JobsView.js').then((m) => m.JobsView));
const AdminView = lazyView(() => import('./operators/AdminView.js').then((m) => m.AdminView));

/** What every view gets. */
export interface ViewProps {
  session: Session;
  route: Route;
}

/** The page. */
export function App() {
  const state = sessionState.value;
  if (state.kind === 'starting') {
    return <p class="narrow" aria-busy="true">Connecting …</p>;
  }
  if (state.kind === 'signed-out') {
    return <SignIn reason={state.reason} />;
  }
  const { session } = state;
  const current = route.value ?? firstRoute(session.principal);
  return (
    <>
      <a class="skip" href="#content" onClick={skipToContent}>Skip to content</a>
      <Header session={session} view={current.view} />
      {/* The key makes a new session start from nothing. */}
      <main id="content" tabIndex={-1} key={session.credential}>
        <CurrentView session={session} route={current} />
      </main>
      {/* Uploads go on while another view is shown. */}
      <UploadDialogs />
    </>
  );
}

function CurrentView(props: ViewProps) {
  switch (props.route.view) {
    case 'upload':
      return <UploadView {...props} />;
    case 'browse':
      return <BrowseView {...props} />;
    case 'dataset':
      return <DatasetView {...props} />;
    case 'search':
      return <SearchView {...props} />;
    case 'jobs':
      return <JobsView {...props} />;
    case 'admin':
      return <AdminView {...props} />;
  }
}

function firstRoute(principal: Principal): Route {
  const view: View = hasScope(principal, 'uploads:write') ? 'upload' : 'browse';
  queueMicrotask(() => replaceRoute(hrefOf(view)));
  return { view, path: '/', query: new URLSearchParams() };
}

/** Moves the focus without changing the address, which is the route. */
function skipToContent(event: MouseEvent) {
  event.preventDefault();
  document.getElementById('content')?.focus();
}
