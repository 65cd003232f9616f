ALTER TABLE tenants DROP COLUMN bucket;
