-- What a tenant may, and how long its history is kept; where nothing is said, the install's own
-- settings hold.
ALTER TABLE tenants
    ADD COLUMN disabled_at timestamptz,
    ADD COLUMN url_seconds integer,
    ADD COLUMN max_url_seconds integer,
    ADD COLUMN max_size bigint,
    ADD COLUMN content_types text[],
    ADD COLUMN quota_bytes bigint,
    ADD COLUMN quota_open_uploads bigint,
    ADD COLUMN retention_days integer,
    ADD CONSTRAINT tenants_url_seconds_bounds CHECK (url_seconds BETWEEN 1 AND 604800),
    ADD CONSTRAINT tenants_max_url_seconds_bounds CHECK (max_url_seconds BETWEEN 1 AND 604800),
    ADD CONSTRAINT tenants_url_seconds_within CHECK (url_seconds <= max_url_seconds),
    ADD CONSTRAINT tenants_max_size_positive CHECK (max_size > 0),
    ADD CONSTRAINT tenants_content_types_some CHECK (cardinality(content_types) > 0),
    ADD CONSTRAINT tenants_quotas_not_negative CHECK (quota_bytes >= 0 AND quota_open_uploads >= 0),
    ADD CONSTRAINT tenants_retention_days_bounds CHECK (retention_days BETWEEN 1 AND 36500);

-- Whether an upload counts against quotas: those that were made while their tenant had one, and
-- those that were there when it got one. All others cost no more than a look at this column.
ALTER TABLE uploads ADD COLUMN counted boolean NOT NULL DEFAULT false;

-- What a tenant with quotas uses: this, and every change that is not folded into it yet. The row is
-- the lock that creates take turns at; it stays when the quotas go.
CREATE TABLE quota_usage (
    tenant text PRIMARY KEY REFERENCES tenants (name),
    bytes bigint NOT NULL,
    open_uploads bigint NOT NULL
);

-- What uploads took and gave back. Rows are only added and folded, so that nobody waits for
-- another one here; a foreign key would lock the tenant's row each time.
CREATE TABLE quota_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    bytes bigint NOT NULL,
    open_uploads bigint NOT NULL
);

CREATE INDEX quota_changes_of_tenant ON quota_changes (tenant);

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
