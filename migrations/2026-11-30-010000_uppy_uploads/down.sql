DROP INDEX uploads_awaited;
ALTER TABLE uploads
    DROP CONSTRAINT uploads_arrival_checked_of_uppy,
    DROP COLUMN arrival_check_at,
    DROP COLUMN by_uppy;
