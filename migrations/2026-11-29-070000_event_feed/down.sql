DROP TABLE event_feed;
ALTER TABLE events DROP COLUMN xid;
