-- What was found out of a bucket's store, and which replica is at it.
CREATE TABLE store_abilities (
    endpoint text NOT NULL,
    bucket text NOT NULL,
    abilities jsonb NOT NULL DEFAULT '{}',
    -- When a try-out ended last.
    tried_at timestamptz,
    holder uuid,
    leased_until timestamptz,
    PRIMARY KEY (endpoint, bucket)
);
