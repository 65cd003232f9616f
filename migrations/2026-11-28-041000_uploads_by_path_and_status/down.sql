DROP INDEX uploads_by_path;
CREATE INDEX uploads_by_path ON uploads (tenant, path text_pattern_ops, id);
