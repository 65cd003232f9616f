-- The janitor's claims: until when a row is somebody's, or is left alone after a failure, and how
-- often it was tried. `settled_at` tells when a Deleted or Cancelled upload was looked at for the
-- last time, after the end of its URL.
ALTER TABLE uploads
    ADD COLUMN janitor_due_at timestamptz,
    ADD COLUMN janitor_attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN settled_at timestamptz,
    ADD CONSTRAINT uploads_janitor_attempts_not_negative CHECK (janitor_attempts >= 0),
    ADD CONSTRAINT uploads_settled_where_it_ended CHECK (
        settled_at IS NULL OR status IN ('Deleted', 'Cancelled')
    );

-- Whose URL may have outlived it.
CREATE INDEX uploads_unsettled ON uploads (expires_at)
    WHERE status IN ('Deleted', 'Cancelled') AND settled_at IS NULL;
-- What must stand in the bucket, in the order in which S3 lists: by the bytes of the key.
CREATE INDEX uploads_proven_by_key ON uploads (key COLLATE "C", id)
    WHERE status IN ('Uploaded', 'Processing', 'Processed');
-- What may be let go one day.
CREATE INDEX uploads_ended ON uploads (updated_at)
    WHERE status IN ('Deleted', 'Cancelled', 'Expired', 'Superseded', 'Error');

-- The comparison of a bucket with the rows: how far it is, and who is at it.
CREATE TABLE sweeps (
    bucket text PRIMARY KEY,
    -- Of the pass under way; nothing between two.
    started_at timestamptz,
    -- Every key up to this one is compared.
    position text,
    -- Of the last whole pass.
    finished_at timestamptz,
    holder uuid,
    leased_until timestamptz,
    CONSTRAINT sweeps_position_of_a_pass CHECK (position IS NULL OR started_at IS NOT NULL),
    CONSTRAINT sweeps_lease_whole CHECK ((holder IS NULL) = (leased_until IS NULL))
);
