-- The upload that a dataset was derived from. Retention forgets the origin together with its row:
-- replicas of the previous version remove rows too, and know nothing of this column.
ALTER TABLE uploads
    ADD COLUMN derived_from uuid REFERENCES uploads (id) ON DELETE SET NULL,
    ADD CONSTRAINT uploads_not_derived_from_itself CHECK (derived_from <> id);

-- GET /uploads?derived_from=…, newest first; deletes of what was derived; the foreign key.
CREATE INDEX uploads_derived ON uploads (derived_from, id) WHERE derived_from IS NOT NULL;
