-- What became of a proven object behind the broker's back, and when that was noticed.
ALTER TABLE uploads
    ADD COLUMN drift text,
    ADD COLUMN drifted_at timestamptz,
    ADD CONSTRAINT uploads_drift_known CHECK (drift IN ('missing', 'replaced')),
    ADD CONSTRAINT uploads_drift_whole CHECK ((drift IS NULL) = (drifted_at IS NULL)),
    ADD CONSTRAINT uploads_drift_of_a_proven_object CHECK (drift IS NULL OR uploaded_at IS NOT NULL);

ALTER TABLE events
    DROP CONSTRAINT events_kind_known,
    ADD CONSTRAINT events_kind_known CHECK (kind IN (
        'dataset.uploaded', 'upload.failed', 'upload.expired', 'upload.cancelled',
        'dataset.deleting', 'dataset.deleted', 'dataset.superseded',
        'dataset.drifted', 'dataset.restored'
    ));
