//! Which multipart uploads at S3 are aborted, and which never are: nobody loses parts that an
//! upload, or another program, still needs.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use upload_broker::domain::principal::Scope;
use upload_broker::domain::status::Status;
use upload_broker::janitor::{Aborted, Cleared, Job, Part};

use super::{Ear, brief, clear, try_clear};
use crate::support::app::{App, Setup, id};
use crate::support::gate::Gate;
use crate::support::shared;
use crate::support::store::Store;

/// How long S3 may take to complete an upload, by default, and a little more.
const COMPLETED: TimeDelta = TimeDelta::seconds(901);
/// The default age and a little more.
const STALE: TimeDelta = TimeDelta::seconds(604_800 + 60);

/// A session in parts.
async fn begin(app: &App, path: &str) -> Value {
    let body = json!({"multipart": true, "part_size": 5 << 20, "size": 11 << 20});
    app.create(path, body).await
}

/// S3's id of the one upload that is open at a key.
async fn s3_id(app: &App, key: &str) -> String {
    let open = app.bucket.open_uploads().await;
    let mut ids = open.iter().filter(|(other, _)| other == key);
    let (_, id) = ids.next().unwrap_or_else(|| panic!("no {key}: {open:?}"));
    id.clone()
}

#[tokio::test]
async fn one_that_was_cancelled_while_s3_was_away_goes() {
    let store = Store::start().await;
    let gate = Gate::new(store.addr());
    let app = Setup::new().store(&store).s3(gate.endpoint()).start().await;
    let session = begin(&app, "a.bin").await;
    let left = s3_id(&app, "a.bin").await;
    app.bucket.send_part("a.bin", &left, 1).await;
    gate.cut().await;
    let cancel = format!("/uploads/{}/cancel", id(&session));
    app.act(&cancel).await.expect(StatusCode::OK);
    let (cleared, told) = try_clear(&app, false).await;
    assert!(cleared.is_err() && told.is_empty(), "{cleared:?} {told:?}");
    gate.restore();

    assert_eq!(clear(&app).await, Vec::<Value>::new(), "not at once");
    app.advance(COMPLETED);
    let told = clear(&app).await;
    let age = told[0]["age_seconds"].as_u64().expect("an age");
    assert!((880..=901).contains(&age), "{told:#?}");
    let line = json!({"what": "stale-multipart-upload", "outcome": "aborted", "dry_run": false,
        "upload_id": session["id"], "tenant": "default", "path": "/a.bin", "key": "a.bin",
        "status": "Cancelled", "s3_upload_id": left, "age_seconds": age});
    assert_eq!(told, [line]);
    assert_eq!(app.bucket.open_uploads().await, []);
    let aborted = app.metric(r#"stale_multipart_uploads_total{outcome="aborted"}"#);
    assert_eq!(aborted.await, 1.0);
    assert_eq!(clear(&app).await, Vec::<Value>::new(), "once");
}

#[tokio::test]
async fn whatever_an_upload_ended_as_its_parts_go_and_a_pending_ones_stay() {
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
    assert_eq!(brief(&clear(&app).await), expected);
    assert_eq!(app.bucket.open_keys().await, ["Pending"]);
}

#[tokio::test]
async fn a_pending_one_stays_with_its_parts_however_old_it_is() {
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
async fn those_that_no_upload_knows_go_where_the_key_is_the_brokers() {
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
    assert_eq!(brief(&clear(&app).await), expected);
    assert_eq!(app.bucket.open_keys().await, ["foreign.bin"]);
    app.advance(TimeDelta::days(400));
    assert_eq!(brief(&clear(&app).await), expected[2..], "at any age");
    assert_eq!(app.bucket.open_keys().await, ["foreign.bin"]);
}

#[tokio::test]
async fn the_scope_may_be_the_whole_bucket() {
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
        let told = clear(&app).await;
        assert_eq!(told.len(), 2 - left.len(), "{setting}: {told:#?}");
        assert_eq!(app.bucket.open_keys().await, left, "{setting}");
    }
}

/// When the only part of an upload came.
async fn part_came(app: &App, key: &str, upload_id: &str) -> DateTime<Utc> {
    let parts = app.bucket.client.list_parts().bucket(&app.bucket.name);
    let parts = parts.key(key).upload_id(upload_id).send().await;
    let parts = parts.expect("parts");
    let at = parts.parts()[0].last_modified().expect("a time");
    DateTime::from_timestamp_micros((at.as_nanos() / 1_000) as i64).expect("a time")
}

#[tokio::test]
async fn one_that_still_gets_parts_stays() {
    let store = Store::start().await;
    let setup = Setup::new().set("BROKER_STALE_MULTIPART_SECONDS", 3_600);
    let setup = setup.set("BROKER_STALE_MULTIPART_SCOPE", "bucket");
    let app = setup.store(&store).start().await;
    let upload_id = app.bucket.begin("a.bin").await;
    let list = app.bucket.client.list_multipart_uploads();
    let list = list.bucket(&app.bucket.name).send().await.expect("a list");
    let begun = list.uploads()[0].initiated().expect("a time");
    let begun = DateTime::from_timestamp_micros((begun.as_nanos() / 1_000) as i64).unwrap();
    // Until the clock has gone on since it was begun.
    let came = loop {
        app.bucket.send_part("a.bin", &upload_id, 1).await;
        let came = part_came(&app, "a.bin", &upload_id).await;
        if came > begun {
            break came;
        }
    };
    app.advance(begun + TimeDelta::hours(1) - app.clock.now());
    assert_eq!(clear(&app).await, Vec::<Value>::new(), "a part came later");
    app.advance(came - begun);
    let told = brief(&clear(&app).await);
    assert_eq!(told, ["stale-multipart-upload aborted - a.bin"]);
}

#[tokio::test]
async fn a_dry_run_says_what_would_go() {
    let app = App::start().await;
    app.upload("promised.bin", "bytes", json!({})).await;
    app.bucket.begin("promised.bin").await;
    app.bucket.begin("foreign.bin").await;
    app.advance(STALE);
    let before = app.bucket.open_uploads().await;
    let ear = Ear::default();
    let job = Job {
        broker: app.broker.clone(),
        parts: vec![Part::StaleMultipart],
        dry_run: true,
        report: ear.report(false),
        stop: CancellationToken::new(),
    };
    let cleared =
        shared().spawn(async move { job.abort_stale(job.broker.stores.buckets.common()).await });
    let counts = Aborted {
        aborted: 1,
        reported: 1,
        failed: 0,
    };
    let cleared = cleared.await.expect("a task").expect("an answer");
    assert_eq!(cleared, Cleared::Through(counts));
    let expected = [
        "stale-multipart-upload aborted - promised.bin",
        "stale-multipart-upload reported - foreign.bin",
    ];
    let told = ear.told();
    assert_eq!(brief(&told), expected);
    assert!(told.iter().all(|line| line["dry_run"] == true), "{told:#?}");
    assert_eq!(app.bucket.open_uploads().await, before);
    let rows = app.sql().await.query("SELECT 1 FROM sweeps", &[]).await;
    assert_eq!(rows.expect("rows").len(), 0, "not even claimed");
    let counted = app.metric(r#"stale_multipart_uploads_total{outcome="aborted"}"#);
    assert_eq!(counted.await, 0.0);
    assert_eq!(brief(&clear(&app).await), expected, "and so it goes");
}
