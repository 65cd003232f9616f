ALTER TABLE events
    DROP COLUMN holder,
    DROP COLUMN leased_until;

ALTER TABLE uploads
    DROP COLUMN holder,
    DROP COLUMN leased_until,
    DROP COLUMN held_for;
