//! The janitor: who takes which row, the last look at what has ended, the comparison of the bucket
//! with the rows, multipart uploads that nothing needs, what is let go one day, and the command
//! that does all of it. What becomes of
//! overdue uploads is told in `expiry`.

mod claims;
mod command;
mod last_looks;
mod lost_bucket;
mod retention;
mod stale_multipart;
mod stale_walks;
mod sweep;
mod sweep_place;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use upload_broker::janitor::{self, Cleared, Report, Swept};
use upload_broker::usecases;

use crate::support::app::App;
use crate::support::shared;

/// Past the default URL's end and its grace.
const URL_IS_OVER: TimeDelta = TimeDelta::seconds(900 + 901);

/// Hears of findings.
#[derive(Clone, Default)]
struct Ear {
    told: Arc<Mutex<Vec<Value>>>,
    stop: CancellationToken,
}

impl Ear {
    /// A report to it. `stop` ends the work after its first finding.
    fn report(&self, stop: bool) -> Report {
        let ear = self.clone();
        Report::to(move |finding| {
            ear.told.lock().unwrap().push(json!(finding));
            if stop {
                ear.stop.cancel();
            }
        })
    }

    fn told(&self) -> Vec<Value> {
        self.told.lock().unwrap().clone()
    }
}

/// What a sweep of one bucket tells.
pub async fn sweep_in(app: &App, bucket: &str) -> Vec<Value> {
    let ear = Ear::default();
    let (report, switch) = (ear.report(false), ear.stop.clone());
    let (broker, now, bucket) = (Arc::clone(&app.broker), app.clock.now(), bucket.to_owned());
    let swept = shared().spawn(async move {
        janitor::sweep(&broker, &bucket, now, Duration::ZERO, &report, &switch).await
    });
    let swept = swept.await.expect("the sweep's task");
    assert!(matches!(swept, Ok(Swept::Through { .. })), "{swept:?}");
    ear.told()
}

/// Walks over the open multipart uploads of one bucket.
pub async fn clear_in(app: &App, bucket: &str) {
    let (broker, now, bucket) = (Arc::clone(&app.broker), app.clock.now(), bucket.to_owned());
    let cleared = shared().spawn(async move {
        let (report, stop) = (Report::to_nobody(), CancellationToken::new());
        janitor::abort_stale(&broker, &bucket, now, &report, &stop).await
    });
    let cleared = cleared.await.expect("the walk's task");
    assert!(matches!(cleared, Ok(Cleared::Through(_))), "{cleared:?}");
}

/// One sweep by the app's broker, and what it told. `stop` ends it after its first finding.
async fn try_sweep(app: &App, stop: bool) -> (usecases::Result<Swept>, Vec<Value>) {
    let ear = Ear::default();
    let (report, switch) = (ear.report(stop), ear.stop.clone());
    let (broker, now) = (Arc::clone(&app.broker), app.clock.now());
    let swept = shared().spawn(async move {
        let bucket = broker.stores.buckets.common();
        janitor::sweep(&broker, bucket, now, Duration::ZERO, &report, &switch).await
    });
    let swept = swept.await.expect("the sweep's task");
    (swept, ear.told())
}

/// One walk over open multipart uploads by the app's broker, and what it told. `stop` ends it after
/// its first finding.
async fn try_clear(app: &App, stop: bool) -> (usecases::Result<Cleared>, Vec<Value>) {
    let ear = Ear::default();
    let (report, switch) = (ear.report(stop), ear.stop.clone());
    let (broker, now) = (Arc::clone(&app.broker), app.clock.now());
    let cleared = shared().spawn(async move {
        let bucket = broker.stores.buckets.common();
        janitor::abort_stale(&broker, bucket, now, &report, &switch).await
    });
    let cleared = cleared.await.expect("the walk's task");
    (cleared, ear.told())
}

/// One that comes through, and what it told.
pub async fn clear(app: &App) -> Vec<Value> {
    let (cleared, told) = try_clear(app, false).await;
    assert!(matches!(cleared, Ok(Cleared::Through(_))), "{cleared:?}");
    told
}

/// One sweep that comes through, and what it told.
async fn sweep(app: &App) -> Vec<Value> {
    let (swept, told) = try_sweep(app, false).await;
    assert!(matches!(swept, Ok(Swept::Through { .. })), "{swept:?}");
    told
}

/// `what`, `outcome`, `status` and key of each finding, sorted.
fn brief(told: &[Value]) -> Vec<String> {
    let mut lines: Vec<_> = (told.iter())
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap_or("-").to_owned();
            [text("what"), text("outcome"), text("status"), text("key")].join(" ")
        })
        .collect();
    lines.sort();
    lines
}

/// HEADs that the app's broker sent so far, whatever came of them.
async fn heads(app: &App) -> f64 {
    let mut all = 0.0;
    for outcome in ["ok", "missing", "refused", "failed"] {
        let name = format!(
            r#"s3_call_duration_seconds_count{{operation="HeadObject",outcome="{outcome}"}}"#
        );
        all += app.metric(&name).await;
    }
    all
}

/// For processes, whose clock is the machine's.
fn long_ago() -> DateTime<Utc> {
    "2020-01-02T00:00:00Z".parse().expect("a time")
}

/// That many Pending uploads in `folder`, whose URL ends at `end` and whose objects never come.
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

/// The same, overdue now at the app's clock.
async fn overdue_rows(app: &App, folder: &str, count: u32) {
    let end = app.clock.now();
    pending_rows(&app.sql().await, &app.bucket.name, folder, count, end).await;
    app.advance(URL_IS_OVER);
}
