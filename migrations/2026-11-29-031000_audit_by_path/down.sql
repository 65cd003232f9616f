DROP INDEX audit_by_path;
