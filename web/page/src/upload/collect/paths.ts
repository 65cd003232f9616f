/**
 * Paths of datasets, as users write folders.
 */

/** The folder with its slashes: `in` becomes `/in/`. */
export function normalizeFolder(text: string): string {
  const segments = text.trim().split('/').filter(Boolean);
  return segments.length === 0 ? '/' : `/${segments.join('/')}/`;
}

/** Why files cannot be uploaded to a folder; null if nothing is known against it. */
export function folderProblem(folder: string, prefix: string): string | null {
  const segments = folder.split('/').filter(Boolean);
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    return 'A folder cannot be named “.” or “..”.';
  }
  if (/[\u0000-\u001f\u007f]/.test(folder)) {
    return 'The folder has a control character.';
  }
  if (!normalizeFolder(folder).startsWith(prefix)) {
    return `This key may upload below ${prefix} only.`;
  }
  return null;
}

/** The path of a file below a folder. */
export function joinPath(folder: string, relativePath: string): string {
  return folder + relativePath.replace(/^\/+/, '');
}
