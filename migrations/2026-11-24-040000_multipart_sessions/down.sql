DROP INDEX uploads_by_s3_upload_id;
ALTER TABLE uploads
    DROP COLUMN s3_upload_id,
    DROP COLUMN part_size,
    DROP COLUMN part_count,
    DROP COLUMN part_checksums;
