DELETE FROM events
    WHERE kind IN ('dataset.processing', 'dataset.processed', 'dataset.processing-failed');
ALTER TABLE events
    DROP CONSTRAINT events_kind_known,
    ADD CONSTRAINT events_kind_known CHECK (kind IN (
        'dataset.uploaded', 'upload.failed', 'upload.expired', 'upload.cancelled',
        'dataset.deleting', 'dataset.deleted', 'dataset.superseded',
        'dataset.drifted', 'dataset.restored'
    ));
DROP INDEX uploads_current;
CREATE UNIQUE INDEX uploads_current ON uploads (tenant, path) WHERE status IN ('Uploaded', 'Processed');
CREATE INDEX uploads_standing ON uploads (tenant, path) WHERE status IN ('Uploaded', 'Processing', 'Processed');
DROP TABLE jobs;
