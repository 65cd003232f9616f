-- Webhooks: endpoints of a tenant that get its events over HTTP.
--
-- `holder` and `leased_until` are the lease of the relay that currently sends to the endpoint.
CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    tenant text NOT NULL REFERENCES tenants (name),
    url text NOT NULL,
    -- NULL: every type.
    types text[],
    secret bytea NOT NULL,
    -- The secret before the last rotation, and until when it signs, too.
    previous_secret bytea,
    previous_secret_until timestamptz,
    created_at timestamptz NOT NULL,
    -- Failed rounds in a row, and since when.
    failures integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    -- Nothing is sent before this time.
    retry_at timestamptz,
    last_error text,
    last_delivered_at timestamptz,
    disabled_at timestamptz,
    holder uuid,
    leased_until timestamptz,
    CONSTRAINT webhooks_types_not_empty CHECK (cardinality(types) > 0),
    CONSTRAINT webhooks_secret_length CHECK (
        octet_length(secret) BETWEEN 24 AND 64 AND octet_length(previous_secret) BETWEEN 24 AND 64
    ),
    CONSTRAINT webhooks_previous_secret_whole CHECK (
        (previous_secret IS NULL) = (previous_secret_until IS NULL)
    ),
    CONSTRAINT webhooks_failures_not_negative CHECK (failures >= 0),
    CONSTRAINT webhooks_failing_whole CHECK ((failures = 0) = (failing_since IS NULL)),
    CONSTRAINT webhooks_lease_whole CHECK ((holder IS NULL) = (leased_until IS NULL))
);

-- The endpoints that get an event, which is asked with every event.
CREATE INDEX webhooks_enabled ON webhooks (tenant) WHERE disabled_at IS NULL;

-- Deliveries: one row for each event that waits for an endpoint. A row is written in the statement
-- that writes the event, and deleted when the endpoint has accepted the event.
CREATE TABLE webhook_deliveries (
    event_id uuid NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    webhook_id uuid NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    upload_id uuid NOT NULL,
    sequence integer NOT NULL,
    -- When the event happened, or when its replay was requested.
    queued_at timestamptz NOT NULL,
    -- The back-off after a failure.
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    first_failed_at timestamptz,
    last_error text,
    PRIMARY KEY (event_id, webhook_id),
    CONSTRAINT webhook_deliveries_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT webhook_deliveries_failure_whole CHECK (
        (first_failed_at IS NULL) = (last_error IS NULL)
    )
);

-- What is due for an endpoint.
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at, event_id);
-- Whether an earlier event of the upload still waits.
CREATE INDEX webhook_deliveries_in_order
    ON webhook_deliveries (webhook_id, upload_id, sequence);
-- How long the oldest has waited.
CREATE INDEX webhook_deliveries_waiting_since ON webhook_deliveries (webhook_id, queued_at);
