/**
 * Paths of datasets in URLs.
 */

/**
 * Fills the parameters of a path template. The slashes of a dataset path stay, everything else is
 * encoded.
 *
 * Throws a `TypeError` for paths with empty, `.` or `..` segments: a URL would lead to another
 * dataset than the one that is meant.
 */
export function fillPath(template: string, parameters: Record<string, unknown>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodePath(String(parameters[name])));
}

function encodePath(path: string): string {
  const segments = path.replace(/^\//, '').split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw new TypeError(`Not a path of a dataset: ${path}`);
  }
  return segments.map(encodeURIComponent).join('/');
}
