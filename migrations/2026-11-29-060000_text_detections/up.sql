-- What Amazon Textract does for a job, so that another worker continues after a crash: the run, and
-- the text that was fetched so far. Each write names the lease of the job.
CREATE TABLE text_detections (
    job_id uuid PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    -- The number of the current or last run. The token of its start contains it, so that a start
    -- whose answer was lost returns the same run.
    starts integer NOT NULL,
    -- The current run, if there is one.
    run_id text,
    started_at timestamptz,
    -- How many answers were fetched, and the token of the next one.
    answers integer NOT NULL DEFAULT 0,
    next_answer text,
    pages integer,
    missing_pages integer[] NOT NULL DEFAULT '{}',
    is_fetched boolean NOT NULL DEFAULT false,
    CONSTRAINT text_detections_starts_positive CHECK (starts > 0),
    CONSTRAINT text_detections_run_has_start CHECK ((run_id IS NULL) = (started_at IS NULL)),
    CONSTRAINT text_detections_pages_not_negative CHECK (pages >= 0),
    CONSTRAINT text_detections_fetched_whole CHECK (
        NOT is_fetched OR (run_id IS NOT NULL AND next_answer IS NULL AND pages IS NOT NULL)
    )
);

-- The lines of a page in an answer. An answer may end in the middle of a page.
CREATE TABLE detected_text (
    job_id uuid NOT NULL REFERENCES text_detections (job_id) ON DELETE CASCADE,
    page integer NOT NULL,
    answer integer NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (job_id, page, answer),
    CONSTRAINT detected_text_page_positive CHECK (page > 0)
);
