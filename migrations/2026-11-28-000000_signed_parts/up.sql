-- The parts that URLs were signed for. Of an upload whose size is open, their sizes: the sum is held
-- against limits and quotas before a URL exists. Of parts with checksums, those too: not every store
-- lists them, and some ask for them when the parts are made an object.
CREATE TABLE signed_parts (
    upload_id uuid NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number integer NOT NULL,
    size bigint NOT NULL,
    checksum bytea,
    PRIMARY KEY (upload_id, number),
    CONSTRAINT signed_parts_number_bounds CHECK (number BETWEEN 1 AND 10000),
    CONSTRAINT signed_parts_size_not_negative CHECK (size >= 0)
);

-- The sum of those sizes: a part that is signed again counts once, with its larger size. Existing
-- rows have none, and need not be read for the constraint.
ALTER TABLE uploads
    ADD COLUMN signed_size bigint,
    ADD CONSTRAINT uploads_signed_size_not_negative CHECK (signed_size >= 0) NOT VALID;

-- Nothing is signed for an upload that is no longer Pending, and its parts are an object, or go.
CREATE FUNCTION signed_parts_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM signed_parts WHERE upload_id = OLD.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER uploads_forget_signed_parts AFTER UPDATE OF status ON uploads
    FOR EACH ROW
    WHEN (OLD.status = 'Pending' AND NEW.status <> 'Pending' AND OLD.s3_upload_id IS NOT NULL)
    EXECUTE FUNCTION signed_parts_forget();

-- A Pending upload counts with the larger of its size and the sum that was signed.
DROP TRIGGER uploads_quota_on_update ON uploads;

CREATE OR REPLACE FUNCTION quota_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
    opened bigint;
BEGIN
    taken := -quota_bytes_of(
        OLD.status, greatest(OLD.size, OLD.signed_size), OLD.object_size, OLD.unproven_size
    );
    opened := -(OLD.status = 'Pending')::integer;
    IF TG_OP = 'UPDATE' THEN
        taken := taken + quota_bytes_of(
            NEW.status, greatest(NEW.size, NEW.signed_size), NEW.object_size, NEW.unproven_size
        );
        opened := opened + (NEW.status = 'Pending')::integer;
    END IF;
    IF taken <> 0 OR opened <> 0 THEN
        INSERT INTO quota_changes (tenant, bytes, open_uploads) VALUES (OLD.tenant, taken, opened);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER uploads_quota_on_update
    AFTER UPDATE OF status, size, signed_size, object_size, unproven_size ON uploads
    FOR EACH ROW WHEN (OLD.counted) EXECUTE FUNCTION quota_note_change();
