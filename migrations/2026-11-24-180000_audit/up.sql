-- The audit: who did what. No foreign keys: a row outlives its tenant, its key and its upload.
CREATE TABLE audit (
    -- UUIDv7, made with `at`.
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    -- Whose data it was about; nothing where nobody knows who asked.
    tenant text,
    actor text NOT NULL,
    address text,
    request_id text,
    action text NOT NULL,
    -- What was asked for: the method and the pattern of the route.
    operation text,
    upload_id uuid,
    -- What it was done to, where that is neither an upload nor a path.
    subject text,
    path text,
    -- When what was handed out ends.
    expires_at timestamptz,
    -- The code of the problem that was answered.
    code text,
    -- How often, where repetitions are one row.
    count integer NOT NULL DEFAULT 1,
    CONSTRAINT audit_action_shape CHECK (action ~ '^[a-z]+\.[a-z-]+$'),
    CONSTRAINT audit_count_positive CHECK (count > 0)
);

-- GET /audit, newest first.
CREATE INDEX audit_of_tenant ON audit (tenant, id);

-- Rows are added, and let go by retention, which says so in its transaction; nothing else. Even a
-- statement that would touch no row is refused.
CREATE FUNCTION audit_refuse_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('upload_broker.retention', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit only grows: % is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_only_grows
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_changes();
