//! Which multipart uploads at S3 the janitor aborts. Parts that an upload or another program still
//! needs are never lost.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use upload_broker::domain::principal::Scope;
use upload_broker::domain::status::Status;
use upload_broker::janitor::{AbortCounts, AbortOutcome, Job, Task};

use super::{Findings, clear, finding_lines, try_clear};
use crate::support::app::{App, Setup, id};
use crate::support::gate::Gate;
use crate::support::shared;
use crate::support::store::Store;

/// A little longer than the time that S3 may take by default to complete an upload.
const COMPLETED: TimeDelta = TimeDelta::seconds(901);
/// A little longer than the default age of a stale multipart upload.
const STALE: TimeDelta = TimeDelta::seconds(604_800 + 60);

/// Creates an upload session in parts.
async fn begin(app: &App, path: &str) -> Value {
    let body = json!({"multipart": true, "part_size": 5 << 20, "size": 11 << 20});
    app.create(path, body).await
}

/// S3's id of the one multipart upload that is open at a key.
async fn s3_id(app: &App, key: &str) -> String {
    let open = app.bucket.open_uploads().await;
    let mut ids = open.iter().filter(|(other, _)| other == key);
    let (_, id) = ids.next().unwrap_or_else(|| panic!("no {key}: {open:?}"));
    id.clone()
}

#[tokio::test]
async fn multipart_upload_cancelled_during_s3_outage_is_aborted() {
    let store = Store::start().await;
    let gate = Gate::new(store.addr());
    let app = Setup::new().store(&store).s3(gate.endpoint()).start().await;
    let session = begin(&app, "a.bin").await;
    let left = s3_id(&app, "a.bin").await;
    app.bucket.send_part("a.bin", &left, 1).await;
    gate.close().await;
    let cancel = format!("/uploads/{}/cancel", id(&session));
    app.post_empty(&cancel).await.expect(StatusCode::OK);
    let (cleared, findings) = try_clear(&app, false).await;
    assert!(
        cleared.is_err() && findings.is_empty(),
        "{cleared:?} {findings:?}"
    );
    gate.restore();

    assert_eq!(clear(&app).await, Vec::<Value>::new(), "not at once");
    app.advance(COMPLETED);
    let findings = clear(&app).await;
    let age = findings[0]["age_seconds"].as_u64().expect("an age");
    assert!((880..=901).contains(&age), "{findings:#?}");
    let line = json!({"what": "stale-multipart-upload", "outcome": "aborted", "dry_run": false,
        "upload_id": session["id"], "tenant": "default", "path": "/a.bin", "key": "a.bin",
        "status": "Cancelled", "s3_upload_id": left, "age_seconds": age});
    assert_eq!(findings, [line]);
    assert_eq!(app.bucket.open_uploads().await, []);
    let aborted = app.metric(r#"stale_multipart_uploads_total{outcome="aborted"}"#);
    assert_eq!(aborted.await, 1.0);
    assert_eq!(clear(&app).await, Vec::<Value>::new(), "once");
}

#[tokio::test]
async fn multipart_uploads_of_every_status_except_pending_are_aborted() {
    let app = App::start().await;
    for status in Status::ALL {
        begin(&app, status.as_str()).await;
    }
    app.upload("proof", "bytes", json!({})).await;
    let ended = "UPDATE uploads SET status = uploads.key, error_code = 'x', error_detail = 'x' \
         FROM uploads proof WHERE proof.key = 'proof' \
         AND uploads.key IN ('Pending', 'Expired', 'Cancelled', 'Error', 'Deleting', 'Deleted'); \
         UPDATE uploads SET status = uploads.key, uploaded_at = proof.uploaded_at, \
         object_size = 5, object_etag = proof.object_etag, \
         object_content_type = proof.object_content_type, \
         object_last_modified = proof.object_last_modified, \
         verification_level = proof.verification_level, verified_by = proof.verified_by, \
         verified_at = proof.verified_at FROM uploads proof WHERE proof.key = 'proof' \
         AND uploads.key IN ('Uploaded', 'Processing', 'Processed', 'Superseded')";
    app.sql().await.batch_execute(ended).await.expect("rows");
    app.advance(COMPLETED);
    let mut expected: Vec<_> = (Status::ALL.into_iter())
        .filter(|status| *status != Status::Pending)
        .map(|status| format!("stale-multipart-upload aborted {status} {status}"))
        .collect();
    expected.sort();
    assert_eq!(finding_lines(&clear(&app).await), expected);
    assert_eq!(app.bucket.open_keys().await, ["Pending"]);
}

#[tokio::test]
async fn multipart_upload_of_pending_session_is_kept_at_any_age() {
    let store = Store::start().await;
    let setup = Setup::new().set("BROKER_STALE_MULTIPART_SECONDS", 3_600);
    let app = setup.store(&store).start().await;
    let session = begin(&app, "a.bin").await;
    let open = s3_id(&app, "a.bin").await;
    app.bucket.send_part("a.bin", &open, 2).await;
    app.advance(TimeDelta::days(400));
    assert_eq!(clear(&app).await, Vec::<Value>::new());
    let parts = app.get(&format!("/uploads/{}/parts", id(&session))).await;
    let parts = parts.expect(StatusCode::OK);
    assert_eq!(parts["uploaded"][0]["part_number"], 2, "{parts:#}");
}

#[tokio::test]
async fn unknown_multipart_uploads_are_aborted_only_at_keys_of_the_broker() {
    let mut app = App::start().await;
    app.upload("promised.bin", "bytes", json!({})).await;
    app.key = app.issue_key("acme", &Scope::ALL, None).await.1;
    for key in ["acme/new.bin", "foreign.bin", "promised.bin"] {
        let id = app.bucket.begin(key).await;
        app.bucket.send_part(key, &id, 1).await;
    }
    app.advance(STALE - TimeDelta::minutes(2));
    assert_eq!(clear(&app).await, Vec::<Value>::new(), "they are young");
    app.advance(TimeDelta::minutes(2));
    let expected = [
        "stale-multipart-upload aborted - acme/new.bin",
        "stale-multipart-upload aborted - promised.bin",
        "stale-multipart-upload reported - foreign.bin",
    ];
    assert_eq!(finding_lines(&clear(&app).await), expected);
    assert_eq!(app.bucket.open_keys().await, ["foreign.bin"]);
    app.advance(TimeDelta::days(400));
    assert_eq!(
        finding_lines(&clear(&app).await),
        expected[2..],
        "at any age"
    );
    assert_eq!(app.bucket.open_keys().await, ["foreign.bin"]);
}

#[tokio::test]
async fn scope_bucket_aborts_every_stale_multipart_upload_unless_age_is_zero() {
    for (setting, left) in [(3_600, &[][..]), (0, &["acme/a.bin", "foreign.bin"])] {
        let setup = Setup::new().set("BROKER_STALE_MULTIPART_SECONDS", setting);
        let setup = setup.set("BROKER_STALE_MULTIPART_SCOPE", "bucket");
        let mut app = setup.start().await;
        app.key = app.issue_key("acme", &Scope::ALL, None).await.1;
        app.bucket.begin("foreign.bin").await;
        app.bucket.begin("acme/a.bin").await;
        app.advance(TimeDelta::minutes(59));
        assert_eq!(clear(&app).await, Vec::<Value>::new(), "{setting}");
        app.advance(TimeDelta::days(400));
        let findings = clear(&app).await;
        assert_eq!(findings.len(), 2 - left.len(), "{setting}: {findings:#?}");
        assert_eq!(app.bucket.open_keys().await, left, "{setting}");
    }
}

/// The time at which S3 received the only part of a multipart upload.
async fn part_time(app: &App, key: &str, upload_id: &str) -> DateTime<Utc> {
    let parts = app.bucket.client.list_parts().bucket(&app.bucket.name);
    let parts = parts.key(key).upload_id(upload_id).send().await;
    let parts = parts.expect("parts");
    let at = parts.parts()[0].last_modified().expect("a time");
    DateTime::from_timestamp_micros((at.as_nanos() / 1_000) as i64).expect("a time")
}

#[tokio::test]
async fn age_of_multipart_upload_counts_from_its_last_part() {
    let store = Store::start().await;
    let setup = Setup::new().set("BROKER_STALE_MULTIPART_SECONDS", 3_600);
    let setup = setup.set("BROKER_STALE_MULTIPART_SCOPE", "bucket");
    let app = setup.store(&store).start().await;
    let upload_id = app.bucket.begin("a.bin").await;
    let list = app.bucket.client.list_multipart_uploads();
    let list = list.bucket(&app.bucket.name).send().await.expect("a list");
    let begun = list.uploads()[0].initiated().expect("a time");
    let begun = DateTime::from_timestamp_micros((begun.as_nanos() / 1_000) as i64).unwrap();
    // Send the part again until its time is later than the start of the upload.
    let came = loop {
        app.bucket.send_part("a.bin", &upload_id, 1).await;
        let came = part_time(&app, "a.bin", &upload_id).await;
        if came > begun {
            break came;
        }
    };
    app.advance(begun + TimeDelta::hours(1) - app.clock.now());
    assert_eq!(clear(&app).await, Vec::<Value>::new(), "a part came later");
    app.advance(came - begun);
    let findings = finding_lines(&clear(&app).await);
    assert_eq!(findings, ["stale-multipart-upload aborted - a.bin"]);
}

#[tokio::test]
async fn dry_run_reports_stale_multipart_uploads_and_aborts_none() {
    let app = App::start().await;
    app.upload("promised.bin", "bytes", json!({})).await;
    app.bucket.begin("promised.bin").await;
    app.bucket.begin("foreign.bin").await;
    app.advance(STALE);
    let before = app.bucket.open_uploads().await;
    let findings = Findings::default();
    let job = Job {
        broker: app.broker.clone(),
        tasks: vec![Task::StaleMultipart],
        dry_run: true,
        report: findings.report(false),
        stop: CancellationToken::new(),
    };
    let cleared =
        shared().spawn(async move { job.abort_stale(job.broker.stores.buckets.common()).await });
    let counts = AbortCounts {
        aborted: 1,
        reported: 1,
        failed: 0,
    };
    let cleared = cleared.await.expect("a task").expect("an answer");
    assert_eq!(cleared, AbortOutcome::Completed(counts));
    let expected = [
        "stale-multipart-upload aborted - promised.bin",
        "stale-multipart-upload reported - foreign.bin",
    ];
    let lines = findings.all();
    assert_eq!(finding_lines(&lines), expected);
    assert!(
        lines.iter().all(|line| line["dry_run"] == true),
        "{lines:#?}"
    );
    assert_eq!(app.bucket.open_uploads().await, before);
    let rows = app.sql().await.query("SELECT 1 FROM sweeps", &[]).await;
    assert_eq!(rows.expect("rows").len(), 0, "not even claimed");
    let counted = app.metric(r#"stale_multipart_uploads_total{outcome="aborted"}"#);
    assert_eq!(counted.await, 0.0);
    assert_eq!(
        finding_lines(&clear(&app).await),
        expected,
        "and so it goes"
    );
}
