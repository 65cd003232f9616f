/**
 * How much of its quotas the tenant uses.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { dataOf } from 'upload-broker-client';
import type { components } from 'upload-broker-client';

import type { ViewProps } from '../app.js';
import { useLive } from '../live/useLive.js';
import { hrefOf } from '../route.js';
import { endSessionIfRefused } from '../session/session.js';
import { ErrorNote } from '../ui/ErrorNote.js';
import { formatBytes } from '../words/numbers.js';

type Usage = components['schemas']['Usage'];

/** From this share on, a bar warns. */
const NEARLY = 0.9;

/** The usage, with a bar for each quota. */
export function UsagePanel({ session }: ViewProps) {
  const usage = useSignal<Usage | null>(null);
  const error = useSignal<unknown>(null);
  const load = () => {
    session.client.api.GET('/usage').then(
      (answer) => {
        usage.value = dataOf(answer);
        error.value = null;
      },
      (cause: unknown) => {
        if (!endSessionIfRefused(cause)) {
          error.value = cause;
        }
      },
    );
  };
  useEffect(load, [session]);
  useLive(session, load, load);
  if (error.value != null) {
    return <ErrorNote error={error.value} onRetry={load} />;
  }
  if (!usage.value) {
    return <p aria-busy="true">Loading …</p>;
  }
  const { tenant, ...used } = usage.value;
  return (
    <section class="card usage" aria-label="Usage">
      <h2>Tenant {tenant}</h2>
      <Bar label="Stored and reserved bytes" used={used.bytes} quota={used.quota_bytes} format={formatBytes} />
      <Bar
        label="Open uploads"
        used={used.open_uploads}
        quota={used.quota_open_uploads}
        format={(number) => number.toLocaleString()}
        href={hrefOf('admin', '/uploads', { status: 'Pending' })}
      />
      <p class="hint">
        Operators set quotas with <code>upload-broker tenants set</code>. What another program wrote
        into the bucket does not count.
      </p>
    </section>
  );
}

function Bar({ label, used, quota, format, href }: {
  label: string;
  /** Unknown without a quota: the usage is recorded from the first quota on. */
  used: number | null | undefined;
  quota: number | null | undefined;
  format: (number: number) => string;
  href?: string;
}) {
  const amount = used ?? 0;
  const share = quota ? amount / quota : 0;
  const value = quota == null ? describeFree(used, format) : `${format(amount)} of ${format(quota)}`;
  return (
    <div class="bar-row">
      <div class="spread">
        {href ? <a href={href}>{label}</a> : <span>{label}</span>}
        <strong>{value}</strong>
      </div>
      {quota != null && (
        <>
          <meter
            aria-label={label}
            min={0}
            max={quota || 1}
            high={(quota || 1) * NEARLY}
            optimum={0}
            value={Math.min(amount, quota || 1)}
          />
          {share >= NEARLY && (
            <p class="failure">
              {share >= 1 ? 'The quota is used up: new uploads are refused.' : 'The quota is nearly used up.'}
            </p>
          )}
        </>
      )}
    </div>
  );
}

function describeFree(used: number | null | undefined, format: (number: number) => string): string {
  return used == null ? 'No quota: not recorded' : `${format(used)}, no quota`;
}
