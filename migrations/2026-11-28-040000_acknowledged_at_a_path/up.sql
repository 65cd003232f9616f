-- Which upload was acknowledged last at a path, where none is current there. Without it an
-- acknowledge reads every version that the path ever had.
CREATE INDEX uploads_acknowledged ON uploads (tenant, path, uploaded_at DESC, id DESC)
    WHERE uploaded_at IS NOT NULL;
