-- GET /audit?action=…: the records of an action that a tenant has few of, however long its history.
CREATE INDEX audit_by_action ON audit (tenant, action, id);
