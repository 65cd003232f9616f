-- The feed of events: the events of a tenant in an order that a reader can follow.
--
-- A reader goes through the events in this order, and stops at the oldest transaction that is still
-- running (`pg_snapshot_xmin`). Below it no event can be added any more, so that an event whose
-- transaction commits late is never behind a reader.
--
-- The default is not volatile: Postgres evaluates it once for all existing rows, and does not
-- rewrite the table. They get the transaction of this migration, so that they come before all later
-- events, in the order of their ids.
ALTER TABLE events ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();

-- The Postgres cluster that the transaction ids belong to; one row. After a restore into another
-- cluster, which counts its own transactions, the broker renumbers the events that are ahead of it.
CREATE TABLE event_feed (
    system_identifier bigint PRIMARY KEY
);

INSERT INTO event_feed SELECT system_identifier FROM pg_control_system();
