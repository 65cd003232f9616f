-- GET /audit?prefix=…: the records of a prefix that a tenant has few of, however long its history.
CREATE INDEX audit_by_path ON audit (tenant, path text_pattern_ops, id) WHERE path IS NOT NULL;
