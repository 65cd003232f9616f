-- Uploads of Uppy clients. `by_uppy`: only these are reached by the routes of Companion.
-- `arrival_check_at`: when the janitor checks next whether the object of an upload has arrived that
-- no client acknowledges. Replicas of the previous version write neither.
ALTER TABLE uploads
    ADD COLUMN by_uppy boolean NOT NULL DEFAULT false,
    ADD COLUMN arrival_check_at timestamptz,
    ADD CONSTRAINT uploads_arrival_checked_of_uppy CHECK (arrival_check_at IS NULL OR by_uppy);

-- The arrival checks that are due.
CREATE INDEX uploads_awaited ON uploads (arrival_check_at)
    WHERE status = 'Pending' AND arrival_check_at IS NOT NULL;
