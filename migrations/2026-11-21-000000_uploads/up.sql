-- Tenants: who owns which part of the bucket.
CREATE TABLE tenants (
    name text PRIMARY KEY,
    key_prefix text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenants_name_shape CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    CONSTRAINT tenants_key_prefix_shape CHECK (
        (name = 'default' AND key_prefix = '')
        OR (name <> 'default' AND key_prefix ~ '^[^/]' AND key_prefix LIKE '%/')
    ),
    CONSTRAINT tenants_key_prefix_unique UNIQUE (key_prefix)
);

-- No prefix may contain another, the default's aside. An exclusion constraint cannot say
-- "is a prefix of", so a trigger does, one writer at a time.
CREATE FUNCTION tenants_refuse_nested_prefix() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('tenants.key_prefix'));
    IF EXISTS (
        SELECT 1 FROM tenants other
        WHERE other.name NOT IN ('default', NEW.name)
          AND NEW.name <> 'default'
          AND (starts_with(other.key_prefix, NEW.key_prefix)
               OR starts_with(NEW.key_prefix, other.key_prefix))
    ) THEN
        RAISE EXCEPTION 'key prefix % contains, or is contained in, the one of another tenant', NEW.key_prefix
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'tenants_key_prefix_nested';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER tenants_key_prefix_nested
    BEFORE INSERT OR UPDATE OF key_prefix ON tenants
    FOR EACH ROW EXECUTE FUNCTION tenants_refuse_nested_prefix();

INSERT INTO tenants (name, key_prefix) VALUES ('default', '');

-- API keys: only the hash is kept.
CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    tenant text NOT NULL REFERENCES tenants (name),
    hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_keys_hash_unique UNIQUE (hash),
    CONSTRAINT api_keys_hash_is_sha256 CHECK (octet_length(hash) = 32),
    CONSTRAINT api_keys_scopes_known CHECK (
        cardinality(scopes) > 0
        AND scopes <@ ARRAY['uploads:write', 'uploads:read', 'datasets:read', 'datasets:delete', 'processing:write', 'admin']
    )
);

CREATE INDEX api_keys_of_tenant ON api_keys (tenant);

-- Uploads: a promise that one object will arrive at one path.
CREATE TABLE uploads (
    id uuid PRIMARY KEY,
    tenant text NOT NULL REFERENCES tenants (name),
    path text NOT NULL,
    bucket text NOT NULL,
    key text NOT NULL,
    status text NOT NULL,
    name text NOT NULL,
    comments text,
    metadata jsonb NOT NULL,
    content_type text NOT NULL,
    size bigint,
    checksum_algorithm text,
    checksum_value text,
    overwrite boolean NOT NULL,
    if_match text,
    headers jsonb NOT NULL,
    lifetime_seconds integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    uploaded_at timestamptz,
    error_code text,
    error_detail text,
    object_size bigint,
    object_etag text,
    object_version_id text,
    object_content_type text,
    object_checksum_algorithm text,
    object_checksum_value text,
    object_last_modified timestamptz,
    verification_level text,
    verified_by text,
    verified_at timestamptz,
    sequence integer NOT NULL DEFAULT 0,
    CONSTRAINT uploads_path_shape CHECK (path LIKE '/_%' AND octet_length(key) BETWEEN 1 AND 1024),
    CONSTRAINT uploads_status_known CHECK (status IN (
        'Pending', 'Uploaded', 'Processing', 'Processed', 'Error',
        'Expired', 'Cancelled', 'Deleting', 'Deleted', 'Superseded'
    )),
    CONSTRAINT uploads_metadata_is_object CHECK (jsonb_typeof(metadata) = 'object'),
    CONSTRAINT uploads_headers_is_object CHECK (jsonb_typeof(headers) = 'object'),
    CONSTRAINT uploads_size_not_negative CHECK (size >= 0 AND object_size >= 0),
    CONSTRAINT uploads_checksum_whole CHECK ((checksum_algorithm IS NULL) = (checksum_value IS NULL)),
    CONSTRAINT uploads_checksum_known CHECK (
        checksum_algorithm IN ('SHA256', 'SHA1', 'CRC32', 'CRC32C', 'CRC64NVME')
    ),
    CONSTRAINT uploads_if_match_replaces CHECK (if_match IS NULL OR overwrite),
    CONSTRAINT uploads_lifetime_bounds CHECK (lifetime_seconds BETWEEN 1 AND 604800),
    CONSTRAINT uploads_expires_after_creation CHECK (expires_at >= created_at),
    CONSTRAINT uploads_error_whole CHECK ((error_code IS NULL) = (error_detail IS NULL)),
    CONSTRAINT uploads_error_has_reason CHECK (status <> 'Error' OR error_code IS NOT NULL),
    CONSTRAINT uploads_proof_whole CHECK (
        num_nulls(uploaded_at, object_size, object_etag, object_last_modified,
                  verification_level, verified_by, verified_at) IN (0, 7)
    ),
    CONSTRAINT uploads_proof_where_acknowledged CHECK (
        CASE
            WHEN status IN ('Uploaded', 'Processing', 'Processed', 'Superseded') THEN uploaded_at IS NOT NULL
            WHEN status IN ('Pending', 'Expired', 'Cancelled') THEN uploaded_at IS NULL
            ELSE true
        END
    ),
    CONSTRAINT uploads_object_checksum_whole CHECK (
        (object_checksum_algorithm IS NULL) = (object_checksum_value IS NULL)
    ),
    CONSTRAINT uploads_object_checksum_known CHECK (
        object_checksum_algorithm IN ('SHA256', 'SHA1', 'CRC32', 'CRC32C', 'CRC64NVME')
    ),
    CONSTRAINT uploads_level_known CHECK (verification_level IN ('checksum', 'size', 'existence')),
    -- Level `checksum` only where the store returned the declared one.
    CONSTRAINT uploads_level_is_earned CHECK (
        verification_level IS DISTINCT FROM 'checksum'
        OR (object_checksum_algorithm IS NOT NULL
            AND object_checksum_algorithm = checksum_algorithm
            AND object_checksum_value = checksum_value)
    ),
    CONSTRAINT uploads_verifier_known CHECK (verified_by IN ('acknowledge', 's3-event', 'janitor', 'uppy')),
    CONSTRAINT uploads_sequence_not_negative CHECK (sequence >= 0)
);

-- GET /uploads, newest first.
CREATE INDEX uploads_newest ON uploads (tenant, id);
-- GET /uploads?status=…
CREATE INDEX uploads_by_status ON uploads (tenant, status, id);
-- GET /uploads?path=… and ?prefix=…, acknowledge and delete by path.
CREATE INDEX uploads_by_path ON uploads (tenant, path text_pattern_ops, id);
-- At most one dataset is current at a path.
CREATE UNIQUE INDEX uploads_current ON uploads (tenant, path) WHERE status IN ('Uploaded', 'Processed');
-- What stands at a path: dataset-exists, include=upload.
CREATE INDEX uploads_standing ON uploads (tenant, path) WHERE status IN ('Uploaded', 'Processing', 'Processed');
-- The janitor's questions.
CREATE INDEX uploads_overdue ON uploads (expires_at) WHERE status = 'Pending';

CREATE INDEX uploads_deleting ON uploads (updated_at) WHERE status = 'Deleting';

-- Events: the history of every upload, and the outbox of those that SNS hears of.
CREATE TABLE events (
    id uuid PRIMARY KEY,
    upload_id uuid NOT NULL REFERENCES uploads (id),
    sequence integer NOT NULL,
    tenant text NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    data jsonb NOT NULL,
    notify boolean NOT NULL,
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    published_at timestamptz,
    CONSTRAINT events_in_order UNIQUE (upload_id, sequence),
    CONSTRAINT events_sequence_positive CHECK (sequence > 0),
    CONSTRAINT events_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT events_data_is_object CHECK (jsonb_typeof(data) = 'object'),
    CONSTRAINT events_kind_known CHECK (kind IN (
        'dataset.uploaded', 'upload.failed', 'upload.expired', 'upload.cancelled',
        'dataset.deleting', 'dataset.deleted', 'dataset.superseded'
    )),
    CONSTRAINT events_published_only_if_notified CHECK (notify OR published_at IS NULL)
);

-- The relay's question, and the outbox's depth and age.
CREATE INDEX events_outbox ON events (due_at, id) WHERE notify AND published_at IS NULL;
