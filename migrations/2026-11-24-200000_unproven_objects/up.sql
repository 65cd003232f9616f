-- How large the object is that an upload's URL has written and that is not the promised one, or
-- has replaced that: it stands in the bucket until somebody deletes it, and takes its room as any
-- other.
ALTER TABLE uploads
    ADD COLUMN unproven_size bigint,
    ADD CONSTRAINT uploads_unproven_size_not_negative CHECK (unproven_size >= 0),
    DROP CONSTRAINT uploads_settled_where_it_ended,
    ADD CONSTRAINT uploads_settled_where_it_ended CHECK (
        settled_at IS NULL OR status IN ('Error', 'Deleting', 'Deleted', 'Cancelled')
    );

-- Which of them a dataset has replaced.
CREATE INDEX uploads_unproven ON uploads (tenant, path) WHERE unproven_size IS NOT NULL;

-- A failed upload is looked at for the last time too.
DROP INDEX uploads_unsettled;
CREATE INDEX uploads_unsettled ON uploads (expires_at)
    WHERE (status IN ('Deleted', 'Cancelled') OR status = 'Error' AND uploaded_at IS NULL)
    AND settled_at IS NULL;

DROP TRIGGER uploads_quota_on_insert ON uploads;
DROP TRIGGER uploads_quota_on_update ON uploads;
DROP TRIGGER uploads_quota_on_delete ON uploads;
DROP FUNCTION quota_note_change();
DROP FUNCTION quota_bytes_of(text, bigint, bigint);

-- The bytes that an upload counts with. `domain/quota.rs` has the same as a table.
CREATE FUNCTION quota_bytes_of(
    status text, size bigint, object_size bigint, unproven_size bigint
) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN status = 'Pending' THEN coalesce(size, 0)
        WHEN status IN ('Uploaded', 'Processing', 'Processed', 'Error', 'Deleting')
            THEN coalesce(greatest(object_size, unproven_size), 0)
        WHEN status = 'Expired' THEN coalesce(unproven_size, 0)
        ELSE 0
    END
$$;

CREATE FUNCTION quota_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
    opened bigint;
BEGIN
    taken := -quota_bytes_of(OLD.status, OLD.size, OLD.object_size, OLD.unproven_size);
    opened := -(OLD.status = 'Pending')::integer;
    IF TG_OP = 'UPDATE' THEN
        taken := taken
            + quota_bytes_of(NEW.status, NEW.size, NEW.object_size, NEW.unproven_size);
        opened := opened + (NEW.status = 'Pending')::integer;
    END IF;
    IF taken <> 0 OR opened <> 0 THEN
        INSERT INTO quota_changes (tenant, bytes, open_uploads) VALUES (OLD.tenant, taken, opened);
    END IF;
    RETURN NULL;
END
$$;

-- Whoever makes an upload that counts holds its tenant's usage, and adds to that itself.
-- An upload that begins to count is not a change: it is counted with all others.
CREATE TRIGGER uploads_quota_on_update
    AFTER UPDATE OF status, size, object_size, unproven_size ON uploads
    FOR EACH ROW WHEN (OLD.counted) EXECUTE FUNCTION quota_note_change();
CREATE TRIGGER uploads_quota_on_delete AFTER DELETE ON uploads
    FOR EACH ROW WHEN (OLD.counted) EXECUTE FUNCTION quota_note_change();
