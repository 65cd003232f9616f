-- The uploads of a batch that came under a key, by their place in it. Those that were refused have
-- no row: asked for again, they are tried again.
CREATE TABLE idempotency_entries (
    tenant text NOT NULL,
    key text NOT NULL,
    position integer NOT NULL,
    upload_id uuid NOT NULL REFERENCES uploads (id),
    PRIMARY KEY (tenant, key, position),
    FOREIGN KEY (tenant, key) REFERENCES idempotency_keys (tenant, key) ON DELETE CASCADE,
    CONSTRAINT idempotency_entries_position_not_negative CHECK (position >= 0)
);

CREATE INDEX idempotency_entries_of_upload ON idempotency_entries (upload_id);
