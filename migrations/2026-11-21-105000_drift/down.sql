DELETE FROM events WHERE kind IN ('dataset.drifted', 'dataset.restored');

ALTER TABLE events
    DROP CONSTRAINT events_kind_known,
    ADD CONSTRAINT events_kind_known CHECK (kind IN (
        'dataset.uploaded', 'upload.failed', 'upload.expired', 'upload.cancelled',
        'dataset.deleting', 'dataset.deleted', 'dataset.superseded'
    ));

ALTER TABLE uploads
    DROP CONSTRAINT uploads_drift_of_a_proven_object,
    DROP CONSTRAINT uploads_drift_whole,
    DROP CONSTRAINT uploads_drift_known,
    DROP COLUMN drifted_at,
    DROP COLUMN drift;
