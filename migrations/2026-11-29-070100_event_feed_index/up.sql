-- A migration of its own: while an index of millions of rows is built, events can be read, but not
-- written.
CREATE INDEX events_feed ON events (tenant, xid, id);
