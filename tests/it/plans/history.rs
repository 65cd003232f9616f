//! A long history.

/// Tables with a history: a path with 10,000 versions, uploads in every status, among them a few
/// old ones in a rare status, one from which a few hundred were derived, and their events, keys and
/// audit records.
pub const HISTORY: &str = "
    INSERT INTO tenants (name, key_prefix) VALUES ('small', 'small/'), ('other', 'other/');
    INSERT INTO uploads (id, tenant, path, bucket, key, status, name, metadata, content_type,
        overwrite, headers, lifetime_seconds, created_at, updated_at, expires_at, uploaded_at,
        object_size, object_etag, object_last_modified, verification_level, verified_by,
        verified_at, error_code, error_detail, unproven_size, settled_at, derived_from)
    SELECT id, CASE n WHEN 7 THEN 'small' ELSE 'default' END, '/' || key, 'old', key, status, 'n',
        '{}', 'text/csv', true, '{}', 900, at, at, at, proven, 1 + 0 * extract(epoch FROM proven),
        CASE WHEN proven IS NOT NULL THEN '\"etag\"' END, proven,
        CASE WHEN proven IS NOT NULL THEN 'size' END,
        CASE WHEN proven IS NOT NULL THEN 'acknowledge' END, proven,
        CASE status WHEN 'Error' THEN 'object-mismatch' END,
        CASE status WHEN 'Error' THEN 'wrong' END, CASE status WHEN 'Error' THEN 1 END,
        CASE WHEN status IN ('Error', 'Cancelled', 'Deleted') THEN at END,
        CASE WHEN n BETWEEN 2 AND 1000 AND n % 4 = 1 THEN first_value(id) OVER (ORDER BY n) END
    FROM (SELECT *, CASE WHEN status NOT IN ('Pending', 'Error', 'Expired', 'Cancelled') THEN at END
              AS proven
          FROM (SELECT n, timestamptz '2025-01-01' + n * interval '1 minute' AS at,
                    (lpad(to_hex(1735689600000 + n * 60000::bigint), 12, '0') || '70008000'
                        || lpad(to_hex(n), 12, '0'))::uuid AS id,
                    CASE WHEN n % 3 = 0 THEN 'hot.csv'
                         ELSE 'data/' || n % 100 || '/' || n || '.csv' END AS key,
                    CASE WHEN n % 3 = 0 THEN 'Superseded'
                         WHEN n < 200 THEN 'Error'
                         WHEN n % 7 = 0 THEN 'Expired'
                         WHEN n % 7 = 1 THEN 'Cancelled'
                         WHEN n % 7 = 2 THEN 'Deleted'
                         ELSE 'Uploaded' END AS status
                FROM generate_series(1, 30000) n) numbered) AS made;
    INSERT INTO events (id, upload_id, sequence, tenant, kind, at, data, notify, due_at,
        published_at)
    SELECT id, id, 1, tenant, 'dataset.uploaded', created_at, '{}', true, created_at, created_at
    FROM uploads;
    INSERT INTO idempotency_keys (tenant, key, request_hash, upload_id, created_at)
    SELECT tenant, id::text, sha256(id::text::bytea), id, now() FROM uploads WHERE status = 'Expired';
    INSERT INTO token_uses (id, uploads, bytes, expires_at)
    SELECT id, 1, 1, now() + interval '1 day' FROM uploads WHERE status = 'Expired';
    INSERT INTO audit (id, at, tenant, actor, action, path)
    SELECT id, created_at, tenant, 'anyone', 'upload.created', path FROM uploads;
";
