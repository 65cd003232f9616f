DROP TABLE token_secrets;
DROP TABLE token_uses;
ALTER TABLE uploads DROP COLUMN max_size;
