-- The row that `POST /uploads` writes, for pgbench: the same statement with the same columns and kinds of
-- values, one row at a time. The id is time-ordered, like the UUIDv7 of the broker.
\set n random(1, 1000000000000)
INSERT INTO uploads (status, counted, id, tenant, path, bucket, key, name, comments, metadata,
    content_type, size, checksum_algorithm, checksum_value, overwrite, if_match, headers,
    lifetime_seconds, created_at, updated_at, expires_at)
SELECT 'Pending', false,
    (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
        || right(replace(gen_random_uuid()::text, '-', ''), 20))::uuid,
    'default', '/bench/' || :n::text || '.csv', 'bench', 'bench/' || :n::text || '.csv', 'employees', NULL, '{}'::jsonb,
    'text/csv', 123456, 'SHA256', '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=', false, NULL, '{}'::jsonb,
    900, now(), now(), now() + interval '900 seconds'
FROM tenants
WHERE tenants.name = 'default'
  AND (false OR NOT EXISTS (
    SELECT 1 FROM uploads
    WHERE tenant = 'default' AND path = '/bench/' || :n::text || '.csv'
      AND status IN ('Uploaded', 'Processing', 'Processed')))
  AND (tenants.quota_bytes IS NOT NULL OR tenants.quota_open_uploads IS NOT NULL) = false
FOR KEY SHARE OF tenants;
