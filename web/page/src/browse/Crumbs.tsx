/**
 * Where a folder or a dataset is: its folders, each of which is a link.
 */
import { hrefOf } from '../route.js';

/** The folders of a path, and the heading of the view. `file` is the last part, which is no folder. */
export function Crumbs({ folder, file, isCurrent = true }: {
  folder: string;
  file?: string;
  /** Whether the last part is what the view shows. */
  isCurrent?: boolean;
}) {
  const names = folder.split('/').filter(Boolean);
  const parts = names.map((name, index) => ({
    name,
    href: hrefOf('browse', `/${names.slice(0, index + 1).join('/')}/`),
  }));
  const links = [{ name: 'All datasets', href: hrefOf('browse') }, ...parts];
  return (
    <>
      <h1 class="hidden-text">{file ?? (folder === '/' ? 'All datasets' : folder)}</h1>
      <nav class="crumbs" aria-label="Folders">
        <ol>
          {links.map((link, index) => {
            const isLast = !file && isCurrent && index === links.length - 1;
            return (
              <li key={link.href}>
                <a href={link.href} aria-current={isLast ? 'page' : undefined}>{link.name}</a>
              </li>
            );
          })}
          {file && <li aria-current="page">{file}</li>}
        </ol>
      </nav>
    </>
  );
}
