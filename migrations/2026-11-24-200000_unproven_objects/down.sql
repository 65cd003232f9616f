-- What wrong objects take is given back.
DROP TRIGGER uploads_quota_on_update ON uploads;
DROP TRIGGER uploads_quota_on_delete ON uploads;
DROP FUNCTION quota_note_change();
INSERT INTO quota_changes (tenant, bytes, open_uploads)
    SELECT tenant, quota_bytes_of(status, size, object_size, NULL)
        - quota_bytes_of(status, size, object_size, unproven_size), 0 FROM uploads
    WHERE counted AND unproven_size > 0;
DROP FUNCTION quota_bytes_of(text, bigint, bigint, bigint);

-- The bytes that an upload counts with. `domain/quota.rs` has the same as a table.
CREATE FUNCTION quota_bytes_of(status text, size bigint, object_size bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN status = 'Pending' THEN coalesce(size, 0)
        WHEN status IN ('Uploaded', 'Processing', 'Processed', 'Error', 'Deleting')
            THEN coalesce(object_size, 0)
        ELSE 0
    END
$$;

CREATE FUNCTION quota_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner text;
    taken bigint := 0;
    opened bigint := 0;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        owner := OLD.tenant;
        taken := taken - quota_bytes_of(OLD.status, OLD.size, OLD.object_size);
        opened := opened - (OLD.status = 'Pending')::integer;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        owner := NEW.tenant;
        taken := taken + quota_bytes_of(NEW.status, NEW.size, NEW.object_size);
        opened := opened + (NEW.status = 'Pending')::integer;
    END IF;
    IF taken <> 0 OR opened <> 0 THEN
        INSERT INTO quota_changes (tenant, bytes, open_uploads) VALUES (owner, taken, opened);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER uploads_quota_on_insert AFTER INSERT ON uploads
    FOR EACH ROW WHEN (NEW.counted) EXECUTE FUNCTION quota_note_change();
-- An upload that begins to count is not a change: it is counted with all others.
CREATE TRIGGER uploads_quota_on_update AFTER UPDATE OF status, size, object_size ON uploads
    FOR EACH ROW WHEN (OLD.counted) EXECUTE FUNCTION quota_note_change();
CREATE TRIGGER uploads_quota_on_delete AFTER DELETE ON uploads
    FOR EACH ROW WHEN (OLD.counted) EXECUTE FUNCTION quota_note_change();

DROP INDEX uploads_unsettled;
UPDATE uploads SET settled_at = NULL WHERE status IN ('Error', 'Deleting');
DROP INDEX uploads_unproven;
ALTER TABLE uploads
    DROP CONSTRAINT uploads_settled_where_it_ended,
    ADD CONSTRAINT uploads_settled_where_it_ended CHECK (
        settled_at IS NULL OR status IN ('Deleted', 'Cancelled')
    ),
    DROP CONSTRAINT uploads_unproven_size_not_negative,
    DROP COLUMN unproven_size;
CREATE INDEX uploads_unsettled ON uploads (expires_at)
    WHERE status IN ('Deleted', 'Cancelled') AND settled_at IS NULL;
