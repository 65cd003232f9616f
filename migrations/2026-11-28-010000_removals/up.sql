-- Removals of objects under way: a DELETE may reach the store until `ends_at`, so no proof of such an
-- object is committed before.
CREATE TABLE removals (
    id uuid PRIMARY KEY,
    bucket text NOT NULL,
    key text NOT NULL,
    -- The store removes only an object with this ETag; without it, any.
    etag text,
    ends_at timestamptz NOT NULL
);

-- To check a key.
CREATE INDEX removals_by_key ON removals (bucket, key);
-- To delete those that expired.
CREATE INDEX removals_by_end ON removals (ends_at);
