/**
 * Names for datasets that are kept beside others.
 */

/** The path with a number before its ending: `/in/report (2).csv`. */
export function numberedPath(path: string, number: number): string {
  const slash = path.lastIndexOf('/') + 1;
  const name = path.slice(slash);
  const dot = name.lastIndexOf('.');
  // A leading dot begins a name, not an ending.
  const end = dot > 0 ? dot : name.length;
  return `${path.slice(0, slash)}${name.slice(0, end)} (${number})${name.slice(end)}`;
}
