//! Formats the results for a bucket as text and as JSON.

use serde_json::{Value, json};

use crate::janitor::{AbortCounts, AbortOutcome, SweepOutcome};

/// The counts of aborted multipart uploads in a bucket.
pub(super) fn aborted(cleared: &AbortOutcome) -> AbortCounts {
    match cleared {
        AbortOutcome::Completed(all) | AbortOutcome::Stopped(all) => *all,
        AbortOutcome::Refused | AbortOutcome::Skipped => AbortCounts::default(),
    }
}

/// One line about a sweep.
pub(super) fn swept_line(bucket: &str, swept: &SweepOutcome) -> String {
    match swept {
        SweepOutcome::Completed {
            compared,
            resumed_after,
        } => {
            let from = match resumed_after {
                Some(key) => format!(", continuing after {key:?}, where the previous one stopped"),
                None => String::new(),
            };
            format!(
                "sweep of {bucket}: {} objects and {} rows compared{from}; {} rows of other buckets skipped",
                compared.objects, compared.rows, compared.other_buckets
            )
        }
        SweepOutcome::Stopped(compared) => format!(
            "sweep of {bucket}: stopped after {} objects and {} rows",
            compared.objects, compared.rows
        ),
        SweepOutcome::LeasedElsewhere | SweepOutcome::NotDue => {
            format!("sweep of {bucket}: skipped, because another process is running it")
        }
    }
}

/// One line about stale multipart uploads.
pub(super) fn cleared_line(bucket: &str, cleared: &AbortOutcome) -> String {
    let what = format!("stale multipart uploads of {bucket}");
    match cleared {
        AbortOutcome::Completed(all) | AbortOutcome::Stopped(all) => format!(
            "{what}: {} aborted, {} possibly of another program, {} deferred after a failure",
            all.aborted, all.reported, all.failed
        ),
        AbortOutcome::Refused => format!("{what}: S3 does not list multipart uploads"),
        AbortOutcome::Skipped => {
            format!("{what}: skipped, because another process is checking them")
        }
    }
}

/// The JSON about a sweep.
pub(super) fn swept_json((bucket, swept): &(String, SweepOutcome)) -> Value {
    match swept {
        SweepOutcome::Completed {
            compared,
            resumed_after,
        } => json!({
            "bucket": bucket,
            "ended": "through",
            "objects": compared.objects,
            "rows": compared.rows,
            "rows_of_other_buckets": compared.other_buckets,
            "resumed_after": resumed_after,
        }),
        SweepOutcome::Stopped(compared) => json!({
            "bucket": bucket,
            "ended": "stopped",
            "objects": compared.objects,
            "rows": compared.rows,
        }),
        SweepOutcome::LeasedElsewhere | SweepOutcome::NotDue => {
            json!({"bucket": bucket, "ended": "elsewhere"})
        }
    }
}

/// The JSON about stale multipart uploads.
pub(super) fn cleared_json((bucket, cleared): &(String, AbortOutcome)) -> Value {
    let all = aborted(cleared);
    json!({
        "bucket": bucket,
        "ended": match cleared {
            AbortOutcome::Completed(_) => "through",
            AbortOutcome::Stopped(_) => "stopped",
            AbortOutcome::Refused => "refused",
            AbortOutcome::Skipped => "elsewhere",
        },
        "aborted": all.aborted,
        "reported": all.reported,
        "failed": all.failed,
    })
}
