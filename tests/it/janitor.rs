//! The janitor: leases on rows, the final check of ended uploads, the sweep that compares the
//! bucket with the rows, the abort of stale multipart uploads, retention, and the command that runs
//! all of it. The fate of overdue uploads is tested in `expiry`.

mod command;
mod final_checks;
mod leases;
mod lost_bucket;
mod restored;
mod retention;
mod stale_multipart;
mod stale_multipart_loop;
mod sweep;
mod sweep_place;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use upload_broker::janitor::{self, AbortOutcome, Report, SweepOutcome};
use upload_broker::usecases;

use crate::support::app::App;
use crate::support::shared;

/// Longer than the lifetime of a default URL and the grace after it.
const URL_IS_OVER: TimeDelta = TimeDelta::seconds(900 + 901);

/// Collects the findings that the janitor reports.
#[derive(Clone, Default)]
struct Findings {
    collected: Arc<Mutex<Vec<Value>>>,
    stop: CancellationToken,
}

impl Findings {
    /// A report that adds to this collection. With `stop`, the work is stopped after its first
    /// finding.
    fn report(&self, stop: bool) -> Report {
        let findings = self.clone();
        Report::to(move |finding| {
            findings.collected.lock().unwrap().push(json!(finding));
            if stop {
                findings.stop.cancel();
            }
        })
    }

    fn all(&self) -> Vec<Value> {
        self.collected.lock().unwrap().clone()
    }
}

/// Sweeps one bucket to its end and returns the findings.
pub async fn sweep_in(app: &App, bucket: &str) -> Vec<Value> {
    let findings = Findings::default();
    let (report, switch) = (findings.report(false), findings.stop.clone());
    let (broker, now, bucket) = (Arc::clone(&app.broker), app.clock.now(), bucket.to_owned());
    let swept = shared().spawn(async move {
        janitor::sweep(&broker, &bucket, now, Duration::ZERO, &report, &switch).await
    });
    let swept = swept.await.expect("the sweep's task");
    assert!(
        matches!(swept, Ok(SweepOutcome::Completed { .. })),
        "{swept:?}"
    );
    findings.all()
}

/// Walks over the open multipart uploads of one bucket to their end.
pub async fn clear_in(app: &App, bucket: &str) {
    let (broker, now, bucket) = (Arc::clone(&app.broker), app.clock.now(), bucket.to_owned());
    let cleared = shared().spawn(async move {
        let (report, stop) = (Report::discard(), CancellationToken::new());
        janitor::abort_stale(&broker, &bucket, now, &report, &stop).await
    });
    let cleared = cleared.await.expect("the walk's task");
    assert!(
        matches!(cleared, Ok(AbortOutcome::Completed(_))),
        "{cleared:?}"
    );
}

/// Runs one sweep with the app's broker and returns its result and its findings. `stop` stops it
/// after its first finding.
async fn try_sweep(app: &App, stop: bool) -> (usecases::Result<SweepOutcome>, Vec<Value>) {
    let findings = Findings::default();
    let (report, switch) = (findings.report(stop), findings.stop.clone());
    let (broker, now) = (Arc::clone(&app.broker), app.clock.now());
    let swept = shared().spawn(async move {
        let bucket = broker.stores.buckets.common();
        janitor::sweep(&broker, bucket, now, Duration::ZERO, &report, &switch).await
    });
    let swept = swept.await.expect("the sweep's task");
    (swept, findings.all())
}

/// Runs one walk over the open multipart uploads with the app's broker and returns its result and
/// its findings. `stop` stops it after its first finding.
async fn try_clear(app: &App, stop: bool) -> (usecases::Result<AbortOutcome>, Vec<Value>) {
    let findings = Findings::default();
    let (report, switch) = (findings.report(stop), findings.stop.clone());
    let (broker, now) = (Arc::clone(&app.broker), app.clock.now());
    let cleared = shared().spawn(async move {
        let bucket = broker.stores.buckets.common();
        janitor::abort_stale(&broker, bucket, now, &report, &switch).await
    });
    let cleared = cleared.await.expect("the walk's task");
    (cleared, findings.all())
}

/// Runs one walk that must reach the end and returns its findings.
pub async fn clear(app: &App) -> Vec<Value> {
    let (cleared, findings) = try_clear(app, false).await;
    assert!(
        matches!(cleared, Ok(AbortOutcome::Completed(_))),
        "{cleared:?}"
    );
    findings
}

/// Runs one sweep that must reach the end and returns its findings.
async fn sweep(app: &App) -> Vec<Value> {
    let (swept, findings) = try_sweep(app, false).await;
    assert!(
        matches!(swept, Ok(SweepOutcome::Completed { .. })),
        "{swept:?}"
    );
    findings
}

/// Formats `what`, `outcome`, `status` and the key of each finding as one line, sorted.
fn finding_lines(findings: &[Value]) -> Vec<String> {
    let mut lines: Vec<_> = (findings.iter())
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap_or("-").to_owned();
            [text("what"), text("outcome"), text("status"), text("key")].join(" ")
        })
        .collect();
    lines.sort();
    lines
}

/// The number of HEAD requests that the app's broker has sent so far, whatever their outcome.
async fn head_requests(app: &App) -> f64 {
    let mut all = 0.0;
    for outcome in ["ok", "missing", "refused", "failed"] {
        let name = format!(
            r#"s3_call_duration_seconds_count{{operation="HeadObject",outcome="{outcome}"}}"#
        );
        all += app.metric(&name).await;
    }
    all
}

/// A time in the past for tests with processes, whose clock is the one of the machine.
fn long_ago() -> DateTime<Utc> {
    "2020-01-02T00:00:00Z".parse().expect("a time")
}

/// Inserts `count` Pending uploads in `folder` whose URL ends at `end` and whose objects do not
/// exist.
async fn pending_rows(
    client: &tokio_postgres::Client,
    bucket: &str,
    folder: &str,
    count: u32,
    end: DateTime<Utc>,
) {
    let rows = format!(
        "INSERT INTO uploads (id, tenant, path, bucket, key, status, name, metadata, content_type, \
         overwrite, headers, lifetime_seconds, created_at, updated_at, expires_at) \
         SELECT gen_random_uuid(), 'default', '/{folder}/' || n, '{bucket}', '{folder}/' || n, 'Pending', \
         'n', '{{}}', 'text/csv', false, '{{}}', 60, '2020-01-01', '2020-01-01', '{end}' \
         FROM generate_series(1, {count}) n"
    );
    client.execute(&rows, &[]).await.expect("rows");
}

/// Inserts the same rows and advances the app's clock until they are overdue.
async fn overdue_rows(app: &App, folder: &str, count: u32) {
    let end = app.clock.now();
    pending_rows(&app.sql().await, &app.bucket.name, folder, count, end).await;
    app.advance(URL_IS_OVER);
}
