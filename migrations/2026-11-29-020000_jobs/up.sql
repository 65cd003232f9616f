-- Jobs: the work of one processor on one upload. A row is written in the transaction that marks
-- the upload Uploaded, or by the first report of another system.
--
-- `holder` is the token of the lease: every write of a worker names it. A job that ended keeps it,
-- so that a report that is repeated because its answer was lost is recognised.
CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    upload_id uuid NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    tenant text NOT NULL REFERENCES tenants (name),
    processor text NOT NULL,
    options jsonb NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'Queued',
    attempts integer NOT NULL DEFAULT 0,
    progress double precision,
    message text,
    outputs jsonb NOT NULL DEFAULT '[]',
    report jsonb,
    due_at timestamptz NOT NULL,
    holder uuid,
    leased_until timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT jobs_one_for_each_processor UNIQUE (upload_id, processor),
    CONSTRAINT jobs_status_known CHECK (
        status IN ('Queued', 'Running', 'Succeeded', 'Failed', 'Cancelled')
    ),
    CONSTRAINT jobs_processor_shape CHECK (processor ~ '^[a-z0-9][a-z0-9-]{0,63}$'),
    CONSTRAINT jobs_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT jobs_progress_is_a_fraction CHECK (progress BETWEEN 0 AND 1),
    CONSTRAINT jobs_options_is_object CHECK (jsonb_typeof(options) = 'object'),
    CONSTRAINT jobs_outputs_is_array CHECK (jsonb_typeof(outputs) = 'array'),
    CONSTRAINT jobs_leased_while_running CHECK (
        (status = 'Running') = (leased_until IS NOT NULL) AND (status <> 'Running' OR holder IS NOT NULL)
    ),
    CONSTRAINT jobs_ended_where_over CHECK (
        (status IN ('Succeeded', 'Failed', 'Cancelled')) = (ended_at IS NOT NULL)
    )
);

-- The next job of a tenant, and the tenants that have one.
CREATE INDEX jobs_queued ON jobs (processor, tenant, due_at, id) WHERE status = 'Queued';
-- How many jobs of a tenant run.
CREATE INDEX jobs_running ON jobs (processor, tenant) WHERE status = 'Running';
-- Leases that ended without a report.
CREATE INDEX jobs_lapsing ON jobs (leased_until) WHERE status = 'Running';
-- GET /jobs, newest first, with or without a status or a processor.
CREATE INDEX jobs_newest ON jobs (tenant, id);
CREATE INDEX jobs_by_status ON jobs (tenant, status, id);
CREATE INDEX jobs_by_processor ON jobs (tenant, processor, status, id);

-- An upload that is being processed is still the current one of its path. The index has the same
-- predicate as `uploads_standing`, which is not needed beside it.
DROP INDEX uploads_current;
DROP INDEX uploads_standing;
CREATE UNIQUE INDEX uploads_current ON uploads (tenant, path)
    WHERE status IN ('Uploaded', 'Processing', 'Processed');

ALTER TABLE events
    DROP CONSTRAINT events_kind_known,
    ADD CONSTRAINT events_kind_known CHECK (kind IN (
        'dataset.uploaded', 'upload.failed', 'upload.expired', 'upload.cancelled',
        'dataset.deleting', 'dataset.deleted', 'dataset.superseded',
        'dataset.drifted', 'dataset.restored',
        'dataset.processing', 'dataset.processed', 'dataset.processing-failed'
    ));
