-- The bucket of a tenant's own; without one it lives in the bucket of the settings. Key prefixes
-- stay apart over all buckets, so that a bucket may become the common one.
ALTER TABLE tenants
    ADD COLUMN bucket text,
    ADD CONSTRAINT tenants_bucket_shape CHECK (bucket ~ '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$'),
    ADD CONSTRAINT tenants_default_has_the_common_bucket CHECK (name <> 'default' OR bucket IS NULL);
