DROP TABLE idempotency_entries;
