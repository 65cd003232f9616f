DROP TABLE events;
DROP TABLE uploads;
DROP TABLE api_keys;
DROP TABLE tenants;
DROP FUNCTION tenants_refuse_nested_prefix();
