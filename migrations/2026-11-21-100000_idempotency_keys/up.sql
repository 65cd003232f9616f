-- What a client asked for under a key of its own, so that asking again makes nothing new.
CREATE TABLE idempotency_keys (
    tenant text NOT NULL REFERENCES tenants (name),
    key text NOT NULL,
    request_hash bytea NOT NULL,
    -- Claimed before the upload is written, in the same transaction.
    upload_id uuid NOT NULL REFERENCES uploads (id) DEFERRABLE INITIALLY DEFERRED,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, key),
    CONSTRAINT idempotency_keys_key_shape CHECK (octet_length(key) BETWEEN 1 AND 255),
    CONSTRAINT idempotency_keys_hash_is_sha256 CHECK (octet_length(request_hash) = 32)
);

CREATE INDEX idempotency_keys_of_upload ON idempotency_keys (upload_id);
-- The janitor's question.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
