/**
 * Where datasets are in S3.
 */
import { dataOf } from 'upload-broker-client';

import { hasScope } from '../session/principal.js';
import type { Session } from '../session/session.js';

const bases = new WeakMap<Session, Promise<string | null>>();

/**
 * What precedes the path of a dataset in its S3 URI, such as `s3://bucket/acme`. The entries of a
 * listing do not have it; an upload of the tenant does. Null if there is no upload.
 */
export function s3Base(session: Session): Promise<string | null> {
  let base = bases.get(session);
  if (!base) {
    base = findBase(session).catch((error: unknown) => {
      bases.delete(session);
      throw error;
    });
    bases.set(session, base);
  }
  return base;
}

/** Whether this credential can learn the S3 URIs of datasets. */
export function canLocate({ principal }: Session): boolean {
  return hasScope(principal, 'uploads:read');
}

async function findBase({ client }: Session): Promise<string | null> {
  const uploads = dataOf(await client.api.GET('/uploads', { params: { query: { limit: 1 } } }));
  const upload = uploads[0];
  if (!upload?.s3_url.endsWith(upload.path)) {
    return null;
  }
  return upload.s3_url.slice(0, -upload.path.length);
}
