//! The sweep compares the bucket with the rows in both directions. It reports every difference,
//! fixes what it can, and never removes an object.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::{URL_IS_OVER, finding_lines, head_requests, sweep, try_sweep};
use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::store::Store;

async fn remove(app: &App, key: &str) {
    app.bucket.remove(key).await;
}

/// The current state of the one upload of a path.
async fn at(app: &App, path: &str) -> Value {
    let list = app.get(&format!("/uploads?path={path}")).await;
    list.expect(StatusCode::OK)[0].clone()
}

#[tokio::test]
async fn sweep_of_consistent_bucket_reports_nothing() {
    let app = App::start().await;
    // The keys are in the order of their bytes, not of any language's alphabet.
    for path in ["B", "a", "a/b", "a-b", "ä", "🦀", "~", "a b+c%2F"] {
        app.upload(path, "bytes", json!({})).await;
    }
    let before = head_requests(&app).await;
    assert_eq!(sweep(&app).await, Vec::<Value>::new());
    assert_eq!(head_requests(&app).await, before, "the listing says it all");
    assert_eq!(
        app.metric(r#"sweep_compared_total{what="objects"}"#).await,
        8.0
    );
    assert_eq!(
        app.metric(r#"sweep_compared_total{what="rows"}"#).await,
        8.0
    );
    assert_eq!(app.metric(r#"sweeps_total{outcome="finished"}"#).await, 1.0);
    assert!(app.metric("sweep_finished_timestamp_seconds").await > 1.7e9);
}

#[tokio::test]
async fn sweep_reports_every_difference_and_records_each_only_once() {
    let app = App::start().await;
    for path in ["gone", "other", "same"] {
        app.upload(path, "bytes", json!({})).await;
    }
    remove(&app, "gone").await;
    app.bucket.put("other", "by another program").await;
    app.bucket.put("stray", "by another program").await;
    let expected = [
        "object-without-row reported - stray",
        "other-etag noted Uploaded other",
        "row-without-object noted Uploaded gone",
    ];
    let findings = sweep(&app).await;
    assert_eq!(finding_lines(&findings), expected, "{findings:#?}");
    let gone = at(&app, "/gone").await;
    let line = findings.iter().find(|line| line["key"] == "gone").unwrap();
    let whole = json!({"what": "row-without-object", "outcome": "noted", "dry_run": false,
        "upload_id": gone["id"], "tenant": "default", "path": "/gone", "key": "gone",
        "status": "Uploaded"});
    assert_eq!(*line, whole);
    for path in ["/gone", "/other"] {
        let types = app.event_types(&at(&app, path).await).await;
        assert_eq!(types, ["dataset.uploaded", "dataset.drifted"], "{path}");
    }

    // The next sweep reports the same again and records nothing twice.
    let again = finding_lines(&sweep(&app).await);
    let known = expected.map(|line| line.replace("noted", "known"));
    assert_eq!(again, known);
    assert_eq!(app.event_types(&gone).await.len(), 2);
    let found = app.metric(r#"sweep_findings_total{what="row-without-object"}"#);
    assert_eq!(found.await, 2.0);

    // An object that comes back is recorded too.
    app.bucket
        .put_as(id(&gone), "gone", "bytes", "text/plain")
        .await;
    let restored = finding_lines(&sweep(&app).await);
    assert!(
        restored.contains(&"restored noted Uploaded gone".to_owned()),
        "{restored:?}"
    );
    let types = app.event_types(&gone).await;
    assert_eq!(
        types,
        ["dataset.uploaded", "dataset.drifted", "dataset.restored"]
    );
    assert_eq!(app.bucket.get("stray").await, b"by another program");
}

#[tokio::test]
async fn sweep_reports_unacknowledged_objects_and_proves_a_late_matching_one() {
    let app = App::start().await;
    for path in ["pending", "cancelled", "late", "wrong", "foreign"] {
        let session = app.create(path, json!({"size": 1})).await;
        if path == "cancelled" {
            let cancel = format!("/uploads/{}/cancel", id(&session));
            app.post_empty(&cancel).await.expect(StatusCode::OK);
        }
    }
    app.put_later("pending", "a").await;
    app.put_later("cancelled", "a").await;
    let findings = finding_lines(&sweep(&app).await);
    let expected = [
        "unacknowledged-object reported Cancelled cancelled",
        "unacknowledged-object reported Pending pending",
    ];
    assert_eq!(findings, expected);

    remove(&app, "pending").await;
    remove(&app, "cancelled").await;
    app.advance(URL_IS_OVER);
    assert_eq!(app.janitor().await.expired, 4);
    // Their uploads took longer than the grace.
    app.put_later("late", "a").await;
    app.put_later("wrong", "too long").await;
    app.bucket.put("foreign", "by another program").await;
    let findings = finding_lines(&sweep(&app).await);
    let expected = [
        "object-without-row reported - foreign",
        "unacknowledged-object reported Expired wrong",
        "unacknowledged-object uploaded Uploaded late",
    ];
    assert_eq!(findings, expected);
    let late = at(&app, "/late").await;
    assert_eq!(late["verification"]["by"], "janitor", "{late:#}");
    assert_eq!(
        app.event_types(&late).await,
        ["upload.expired", "dataset.uploaded"]
    );
    let findings = finding_lines(&sweep(&app).await);
    assert_eq!(findings, expected[..2], "an upload is proven once");
}

impl App {
    /// Writes what the URL of the upload at `path` would write, whether or not the URL still works.
    async fn put_later(&self, path: &str, bytes: &str) {
        let upload = at(self, &format!("/{path}")).await;
        let kind = upload["content_type"].as_str().unwrap();
        self.bucket.put_as(id(&upload), path, bytes, kind).await;
    }
}

#[tokio::test]
async fn sweep_covers_objects_and_rows_of_a_tenant_with_key_prefix() {
    let mut acme = App::start().await;
    acme.key = acme.issue_key("acme", &Scope::ALL, None).await.1;
    acme.upload("a.csv", "bytes", json!({})).await;
    acme.upload("b.csv", "bytes", json!({})).await;
    remove(&acme, "acme/a.csv").await;
    acme.bucket.put("acme/c.csv", "by another program").await;
    let findings = sweep(&acme).await;
    let expected = [
        "object-without-row reported - acme/c.csv",
        "row-without-object noted Uploaded acme/a.csv",
    ];
    assert_eq!(finding_lines(&findings), expected);
    let line = findings
        .iter()
        .find(|line| line["key"] == "acme/a.csv")
        .unwrap();
    assert_eq!(
        (&line["tenant"], &line["path"]),
        (&json!("acme"), &json!("/a.csv"))
    );
}

#[tokio::test]
async fn sweep_ignores_objects_deleted_or_uploaded_meanwhile() {
    let store = Store::start().await;
    let app = Setup::new().store(&store).start().await;
    let upload = app.upload("z", "bytes", json!({})).await;
    for number in 0..1_050 {
        app.bucket.put(&format!("a{number:04}"), "x").await;
    }
    // The sweep has stopped before `z`. Now a dataset is deleted and another one uploaded there.
    let (stopped, _) = try_sweep(&app, true).await;
    assert!(format!("{stopped:?}").contains("Stopped"), "{stopped:?}");
    let reply = app.delete(&format!("/uploads/{}", id(&upload))).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    app.upload("y", "bytes", json!({})).await;
    let findings = finding_lines(&sweep(&app).await);
    assert!(
        findings
            .iter()
            .all(|line| line.ends_with(|end: char| end.is_ascii_digit())),
        "{findings:?}"
    );
}

#[tokio::test]
async fn sweep_fails_during_s3_outage_and_succeeds_afterwards() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    app.upload("a", "bytes", json!({})).await;
    remove(&app, "a").await;
    gate.close().await;
    let (swept, findings) = try_sweep(&app, false).await;
    assert!(
        swept.is_err() && findings.is_empty(),
        "{swept:?} {findings:?}"
    );
    assert_eq!(
        app.event_types(&at(&app, "/a").await).await,
        ["dataset.uploaded"]
    );
    gate.restore();
    assert_eq!(
        finding_lines(&sweep(&app).await),
        ["row-without-object noted Uploaded a"]
    );
    assert_eq!(app.metric(r#"sweeps_total{outcome="failed"}"#).await, 1.0);
    app.advance(TimeDelta::seconds(1));
}
