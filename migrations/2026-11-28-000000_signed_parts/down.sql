-- What is Pending counts with its size alone again.
INSERT INTO quota_changes (tenant, bytes, open_uploads)
SELECT tenant, -sum(signed_size - coalesce(size, 0)), 0 FROM uploads
WHERE counted AND status = 'Pending' AND signed_size > coalesce(size, 0) GROUP BY tenant;

DROP TRIGGER uploads_quota_on_update ON uploads;

CREATE OR REPLACE FUNCTION quota_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER uploads_quota_on_update
    AFTER UPDATE OF status, size, object_size, unproven_size ON uploads
    FOR EACH ROW WHEN (OLD.counted) EXECUTE FUNCTION quota_note_change();

DROP TRIGGER uploads_forget_signed_parts ON uploads;
DROP FUNCTION signed_parts_forget();
ALTER TABLE uploads
    DROP CONSTRAINT uploads_signed_size_not_negative,
    DROP COLUMN signed_size;
DROP TABLE signed_parts;
