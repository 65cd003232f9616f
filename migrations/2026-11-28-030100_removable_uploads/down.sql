CREATE INDEX uploads_ended ON uploads (updated_at)
    WHERE status IN ('Deleted', 'Cancelled', 'Expired', 'Superseded', 'Error');
DROP INDEX uploads_removable;
