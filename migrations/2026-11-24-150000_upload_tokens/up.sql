-- The largest object that an upload may become, where whoever made it was bounded.
ALTER TABLE uploads
    ADD COLUMN max_size bigint,
    ADD CONSTRAINT uploads_max_size_not_negative CHECK (max_size >= 0);

-- What upload tokens were used for. A token is not stored: its row comes with its first use, and
-- goes when it has ended.
CREATE TABLE token_uses (
    id uuid PRIMARY KEY,
    uploads bigint NOT NULL,
    bytes bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT token_uses_not_negative CHECK (uploads >= 0 AND bytes >= 0)
);

-- The janitor's question.
CREATE INDEX token_uses_by_end ON token_uses (expires_at);

-- What upload tokens are signed with, where no setting says: made once, the same for all replicas.
CREATE TABLE token_secrets (
    purpose text PRIMARY KEY,
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT token_secrets_purpose_known CHECK (purpose = 'upload-tokens'),
    CONSTRAINT token_secrets_length CHECK (octet_length(secret) = 32)
);
