-- Leases: which claim a row is held by, by its token, and when that ends unless it is renewed. In
-- `uploads` also what the row is held for: an acknowledge that completes an upload goes before the
-- janitor. `janitor_due_at` is from here on the back-off after a failure alone.
ALTER TABLE uploads
    ADD COLUMN holder uuid,
    ADD COLUMN leased_until timestamptz,
    ADD COLUMN held_for text,
    ADD CONSTRAINT uploads_lease_whole CHECK (num_nulls(holder, leased_until, held_for) IN (0, 3)),
    ADD CONSTRAINT uploads_held_for_known CHECK (held_for IN ('janitor', 'completion'));

-- `due_at` is the back-off alone, too.
ALTER TABLE events
    ADD COLUMN holder uuid,
    ADD COLUMN leased_until timestamptz,
    ADD CONSTRAINT events_lease_whole CHECK ((holder IS NULL) = (leased_until IS NULL));
