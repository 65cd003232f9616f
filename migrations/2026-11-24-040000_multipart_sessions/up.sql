-- Uploads whose bytes come in parts: the store's name of them, and how they are cut. The number of
-- parts is not known where the size was open at create.
ALTER TABLE uploads
    ADD COLUMN s3_upload_id text,
    ADD COLUMN part_size bigint,
    ADD COLUMN part_count integer,
    ADD COLUMN part_checksums text,
    ADD CONSTRAINT uploads_multipart_whole CHECK (
        (s3_upload_id IS NULL) = (part_size IS NULL)
        AND (s3_upload_id IS NOT NULL OR (part_count IS NULL AND part_checksums IS NULL))
    ),
    ADD CONSTRAINT uploads_part_size_positive CHECK (part_size > 0),
    ADD CONSTRAINT uploads_part_count_bounds CHECK (part_count BETWEEN 1 AND 10000),
    ADD CONSTRAINT uploads_part_checksums_known CHECK (
        part_checksums IN ('SHA256', 'SHA1', 'CRC32', 'CRC32C', 'CRC64NVME')
    );

-- Whose is a multipart upload that the store lists?
CREATE INDEX uploads_by_s3_upload_id ON uploads (s3_upload_id) WHERE s3_upload_id IS NOT NULL;
