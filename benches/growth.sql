-- A history: :uploads uploads of 300 days in all states, :versions of them at one path, each with an event
-- and an audit row. The indexes are created after the rows, which is faster.
SET maintenance_work_mem = '512MB';
SET synchronous_commit = off;
SET session_replication_role = replica;

CREATE TEMP TABLE deferred_indexes AS
    SELECT indexname AS name, indexdef AS sql FROM pg_indexes
    WHERE schemaname = 'public' AND tablename IN ('uploads', 'events', 'audit')
    AND indexname NOT IN (SELECT conname FROM pg_constraint);
SELECT format('DROP INDEX %I', name) FROM deferred_indexes \gexec

INSERT INTO uploads (id, tenant, path, bucket, key, status, name, metadata, content_type, overwrite,
    headers, lifetime_seconds, created_at, updated_at, expires_at, uploaded_at, object_size,
    object_etag, object_last_modified, verification_level, verified_by, verified_at, error_code,
    error_detail, settled_at)
SELECT id, 'default', '/' || key, 'bench', key, status, 'n', '{}', 'text/csv', true, '{}', 900, at,
    at, at, proven, CASE WHEN proven IS NOT NULL THEN 1 END,
    CASE WHEN proven IS NOT NULL THEN '"9dd4e461268c8034f5c8564e155c67a6"' END, proven,
    CASE WHEN proven IS NOT NULL THEN 'size' END,
    CASE WHEN proven IS NOT NULL THEN 'acknowledge' END, proven,
    CASE status WHEN 'Error' THEN 'object-mismatch' END, CASE status WHEN 'Error' THEN 'wrong' END,
    CASE WHEN status IN ('Error', 'Cancelled', 'Deleted') THEN at END
FROM (SELECT *, CASE WHEN status NOT IN ('Error', 'Expired', 'Cancelled') THEN at END AS proven
      FROM (SELECT at, key, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
                || '70008000' || lpad(to_hex(n), 12, '0'))::uuid AS id,
                CASE WHEN key = 'versions.csv' THEN 'Superseded'
                     WHEN n < 1000 THEN 'Error'
                     WHEN n % 10 = 0 THEN 'Expired'
                     WHEN n % 10 = 1 THEN 'Cancelled'
                     WHEN n % 10 = 2 THEN 'Deleted'
                     ELSE 'Uploaded' END AS status
            FROM (SELECT n, now() - interval '300 days' * (1 - n::float8 / :uploads) AS at,
                      CASE WHEN n % (:uploads / :versions) = 0 THEN 'versions.csv'
                           ELSE 'data/' || n % 1000 || '/' || n || '.csv' END AS key
                  FROM generate_series(1, :uploads - 1) n) numbered) stated) made;
INSERT INTO events (id, upload_id, sequence, tenant, kind, at, data, notify, due_at, published_at)
SELECT id, id, 1, tenant, 'dataset.uploaded', created_at, '{}', true, created_at, created_at
FROM uploads WHERE bucket = 'bench' AND name = 'n';
INSERT INTO audit (id, at, tenant, actor, action, path)
SELECT id, created_at, tenant, 'anyone', 'upload.created', path FROM uploads WHERE name = 'n';

SELECT sql FROM deferred_indexes \gexec
VACUUM ANALYZE uploads;
VACUUM ANALYZE events;
VACUUM ANALYZE audit;
CHECKPOINT;
