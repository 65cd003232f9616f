//! `jobs`: does a worker run the jobs that wait?

use chrono::{DateTime, TimeDelta, Utc};

use super::verdict::Verdict;
use crate::store::{Connection, jobs};

/// How long a job may wait before it is reported.
const LONG_WAIT: TimeDelta = TimeDelta::minutes(10);

pub(super) async fn check_jobs(connection: &mut Connection, now: DateTime<Utc>) -> Verdict {
    let waiting = match jobs::find_longest_waiting(connection, now).await {
        Ok(waiting) => waiting,
        Err(error) => return Verdict::error(&error, "see the log of Postgres"),
    };
    let Some(waiting) = waiting else {
        return Verdict::ok("no job waits for a worker");
    };
    let (processor, minutes) = (&waiting.processor, (now - waiting.due_at).num_minutes());
    if now - waiting.due_at <= LONG_WAIT {
        return Verdict::ok(format!("jobs of {processor} wait for a worker"));
    }
    Verdict::warning(
        format!("a job of {processor} has waited for a worker for {minutes} minutes"),
        format!("start `upload-broker worker`, or the system that claims jobs of {processor}"),
    )
}
