/**
 * The filter of the audit trail, as the address of the view has it.
 */

/** The parameters of the address. */
export const FILTER_NAMES = ['action', 'prefix', 'since', 'until'] as const;
/** Empty texts stand for no condition. Times are local, such as `2026-11-30T08:15`. */
export type AuditFilter = { [name in (typeof FILTER_NAMES)[number]]?: string };

/** The query of the request. */
export function auditQuery({ action, prefix, since, until }: AuditFilter) {
  return {
    action: action ? [action] : undefined,
    prefix: prefix || undefined,
    since: timeOf(since),
    until: timeOf(until),
  };
}

function timeOf(local: string | undefined): string | undefined {
  const time = local ? new Date(local) : undefined;
  return time && !Number.isNaN(time.getTime()) ? time.toISOString() : undefined;
}
