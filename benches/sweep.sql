-- One acknowledged upload of one byte per object. In every 10,000 uploads, one has another ETag and one has no
-- object.
INSERT INTO uploads (id, tenant, path, bucket, key, status, name, metadata, content_type, overwrite,
    headers, lifetime_seconds, created_at, updated_at, expires_at, uploaded_at, object_size,
    object_etag, object_last_modified, verification_level, verified_by, verified_at)
SELECT gen_random_uuid(), 'default', '/' || key, 'bench', key, 'Uploaded', 'n', '{}', 'text/csv',
    false, '{}', 900, '2026-01-01', '2026-01-01', '2026-01-02', '2026-01-01', 1,
    CASE n % 10000 WHEN 1 THEN '"another"' ELSE '"9dd4e461268c8034f5c8564e155c67a6"' END,
    '2026-01-01', 'size', 'acknowledge', '2026-01-01'
FROM (SELECT n, CASE n % 10000 WHEN 2 THEN 'no-object/' ELSE 'data/2026/set-' END || lpad(n::text, 8, '0') AS key
      FROM generate_series(0, :objects - 1) n) AS keys;
ANALYZE uploads;
