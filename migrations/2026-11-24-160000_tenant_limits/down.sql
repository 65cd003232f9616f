DROP TRIGGER uploads_quota_on_insert ON uploads;
DROP TRIGGER uploads_quota_on_update ON uploads;
DROP TRIGGER uploads_quota_on_delete ON uploads;
DROP FUNCTION quota_note_change();
DROP FUNCTION quota_bytes_of(text, bigint, bigint);
DROP TABLE quota_changes;
DROP TABLE quota_usage;
ALTER TABLE uploads DROP COLUMN counted;
ALTER TABLE tenants
    DROP COLUMN disabled_at,
    DROP COLUMN url_seconds,
    DROP COLUMN max_url_seconds,
    DROP COLUMN max_size,
    DROP COLUMN content_types,
    DROP COLUMN quota_bytes,
    DROP COLUMN quota_open_uploads,
    DROP COLUMN retention_days;
