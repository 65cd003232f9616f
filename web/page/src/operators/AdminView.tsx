/**
 * The views of operators.
 *
 *     #/admin/uploads?status=Error     #/admin/audit?action=upload.deleted     #/admin/usage
 */
import type { ViewProps } from '../app.js';
import '../browse/browse.css';
import '../dataset/jobs.css';
import { hrefOf } from '../route.js';
import { hasScope } from '../session/principal.js';
import { AuditPanel } from './AuditPanel.js';
import './operators.css';
import { UploadsPanel } from './UploadsPanel.js';
import { UsagePanel } from './UsagePanel.js';

const PANELS = [
  { path: '/uploads', label: 'Uploads', View: UploadsPanel },
  { path: '/audit', label: 'Audit', View: AuditPanel },
  { path: '/usage', label: 'Usage', View: UsagePanel },
];

/** Shows one of the views. */
export function AdminView(props: ViewProps) {
  if (!hasScope(props.session.principal, 'admin')) {
    return (
      <div class="card empty">
        <h1>For operators only</h1>
        <p>This view needs a credential with the scope <code>admin</code>.</p>
      </div>
    );
  }
  const current = PANELS.find(({ path }) => path === props.route.path) ?? PANELS[0]!;
  return (
    <>
      <h1>Operation</h1>
      <nav class="tabs" aria-label="Views of operators">
        {PANELS.map(({ path, label }) => (
          <a key={path} href={hrefOf('admin', path)} aria-current={path === current.path ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <current.View {...props} />
    </>
  );
}
