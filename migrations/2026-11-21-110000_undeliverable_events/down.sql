DROP INDEX events_waiting_since;
DROP INDEX events_outbox;
ALTER TABLE events
    DROP CONSTRAINT events_undeliverable_has_reason,
    DROP CONSTRAINT events_replayed_only_if_notified,
    DROP COLUMN undeliverable_at,
    DROP COLUMN replayed_at;
CREATE INDEX events_outbox ON events (due_at, id) WHERE notify AND published_at IS NULL;
