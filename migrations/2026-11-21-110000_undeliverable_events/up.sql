-- Events that SNS will never take (the reason is in last_error), and events that are sent again.
ALTER TABLE events
    ADD COLUMN undeliverable_at timestamptz,
    ADD COLUMN replayed_at timestamptz,
    ADD CONSTRAINT events_undeliverable_has_reason CHECK (
        undeliverable_at IS NULL OR (notify AND published_at IS NULL AND last_error IS NOT NULL)
    ),
    ADD CONSTRAINT events_replayed_only_if_notified CHECK (notify OR replayed_at IS NULL);

-- The relay's question.
DROP INDEX events_outbox;
CREATE INDEX events_outbox ON events (due_at, id)
    WHERE notify AND published_at IS NULL AND undeliverable_at IS NULL;
-- The outbox's depth and age. `least` is there so that only their own question finds this index:
-- to the claim it would look as good as its own, while the statistics are from a quiet time.
CREATE INDEX events_waiting_since ON events (coalesce(replayed_at, at))
    WHERE notify AND least(published_at, undeliverable_at) IS NULL;
