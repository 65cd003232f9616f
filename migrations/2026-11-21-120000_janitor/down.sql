DROP TABLE sweeps;

DROP INDEX uploads_ended;
DROP INDEX uploads_proven_by_key;
DROP INDEX uploads_unsettled;

ALTER TABLE uploads
    DROP CONSTRAINT uploads_settled_where_it_ended,
    DROP CONSTRAINT uploads_janitor_attempts_not_negative,
    DROP COLUMN settled_at,
    DROP COLUMN janitor_attempts,
    DROP COLUMN janitor_due_at;
