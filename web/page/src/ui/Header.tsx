/**
 * The navigation. It has only the views that the credential can use.
 */
import { hrefOf } from '../route.js';
import type { View } from '../route.js';
import { hasScope } from '../session/principal.js';
import type { Scope } from '../session/principal.js';
import { endSession } from '../session/session.js';
import type { Session } from '../session/session.js';

const LINKS: { view: View; label: string; scope: Scope; href: string }[] = [
  { view: 'upload', label: 'Upload', scope: 'uploads:write', href: hrefOf('upload') },
  { view: 'browse', label: 'Datasets', scope: 'datasets:read', href: hrefOf('browse') },
  { view: 'search', label: 'Search', scope: 'datasets:read', href: hrefOf('search') },
  { view: 'jobs', label: 'Processing', scope: 'uploads:read', href: hrefOf('jobs') },
  { view: 'admin', label: 'Operation', scope: 'admin', href: hrefOf('admin', '/uploads') },
];

/** The name of the broker, the views, and the user. */
export function Header({ session, view }: { session: Session; view: View }) {
  const { principal, credential } = session;
  return (
    <header class="bar">
      <a class="brand" href={hrefOf('upload')}>upload-broker</a>
      <nav aria-label="Views">
        {LINKS.filter((link) => hasScope(principal, link.scope)).map((link) => (
          <a
            key={link.view}
            href={link.href}
            aria-current={link.view === view ? 'page' : undefined}
          >
            {link.label}
          </a>
        ))}
      </nav>
      <span class="tenant" title={`Scopes: ${principal.scopes.join(', ')}`}>
        {principal.tenant}
      </span>
      {credential && <button class="quiet" onClick={() => endSession()}>Sign out</button>}
    </header>
  );
}
