-- GET /uploads?path=…&status=…: the uploads of a path in each state, in the order of their ids,
-- however many versions the path had.
DROP INDEX uploads_by_path;
CREATE INDEX uploads_by_path ON uploads (tenant, path text_pattern_ops, status, id);
