ALTER TABLE uploads DROP COLUMN derived_from;
