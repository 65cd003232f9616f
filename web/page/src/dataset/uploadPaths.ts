/**
 * The paths of uploads by id. Jobs name only the id of their upload.
 */
import type { BrokerClient } from 'upload-broker-client';

const paths = new WeakMap<BrokerClient, Map<string, Promise<string>>>();

/** The path of an upload, which never changes. */
export function pathOfUpload(client: BrokerClient, id: string): Promise<string> {
  const known = paths.get(client) ?? new Map<string, Promise<string>>();
  paths.set(client, known);
  let path = known.get(id);
  if (!path) {
    path = client.getUpload(id).then((upload) => upload.path);
    path.catch(() => known.delete(id));
    known.set(id, path);
  }
  return path;
}
