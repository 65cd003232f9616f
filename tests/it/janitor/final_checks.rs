//! The final check: the URL of an upload that was deleted or cancelled stays valid until it
//! expires. An object that it wrote meanwhile is removed when no further one can arrive. No other
//! object is removed.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::janitor::Round;

use super::{URL_IS_OVER, head_requests};
use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::store::Store;

async fn delete(app: &App, upload: &Value) {
    let reply = app.delete(&format!("/uploads/{}", id(upload))).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
}

async fn cancel(app: &App, session: &Value) {
    let cancelled = app
        .post_empty(&format!("/uploads/{}/cancel", id(session)))
        .await;
    cancelled.expect(StatusCode::OK);
}

fn finally_checked(finally_checked: u64, removed: u64) -> Round {
    Round {
        finally_checked,
        removed,
        ..Round::default()
    }
}

#[tokio::test]
async fn final_check_removes_object_written_after_delete() {
    let app = App::start().await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "first").await.expect_ok();
    app.acknowledge(&session).await.expect(StatusCode::OK);
    delete(&app, &session).await;
    // These bytes differ from the proven ones. The same URL accepts them because it is not bound to
    // a size.
    app.put(&session, "and once more").await.expect_ok();

    app.advance(TimeDelta::seconds(1_799));
    assert_eq!(
        app.janitor().await,
        Round::default(),
        "to the end of the grace"
    );
    assert!(app.bucket.head("a.csv").await.is_some());
    app.advance(TimeDelta::seconds(2));
    assert_eq!(app.janitor().await, finally_checked(1, 1));
    assert!(app.bucket.head("a.csv").await.is_none());
    assert_eq!(app.janitor().await, Round::default(), "once");
    let types = app.event_types(&session).await;
    assert_eq!(
        types,
        ["dataset.uploaded", "dataset.deleting", "dataset.deleted"]
    );
    let removed = app.metric(r#"janitor_last_looks_total{outcome="removed"}"#);
    assert_eq!(removed.await, 1.0);
}

#[tokio::test]
async fn final_check_removes_object_written_after_cancel() {
    let app = App::start().await;
    let session = app.create("a.csv", json!({})).await;
    let nothing = app.create("b.csv", json!({})).await;
    cancel(&app, &session).await;
    cancel(&app, &nothing).await;
    app.put(&session, "late").await.expect_ok();
    app.advance(URL_IS_OVER);
    assert_eq!(app.janitor().await, finally_checked(2, 1));
    assert!(app.bucket.head("a.csv").await.is_none());
    // The path is free for a create-only upload again.
    app.create("a.csv", json!({})).await;
}

#[tokio::test]
async fn object_of_upload_cancelled_during_s3_outage_is_removed_by_final_check() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "bytes").await.expect_ok();
    gate.close().await;
    cancel(&app, &session).await;
    assert!(app.bucket.head("a.csv").await.is_some());
    app.advance(URL_IS_OVER);
    let failed = Round {
        failed: 1,
        ..Round::default()
    };
    assert_eq!(app.janitor().await, failed, "S3 is away: nothing is lost");
    gate.restore();
    app.advance(TimeDelta::seconds(30));
    assert_eq!(app.janitor().await, finally_checked(1, 1));
    assert!(app.bucket.head("a.csv").await.is_none());
}

#[tokio::test]
async fn parts_of_upload_cancelled_during_s3_outage_are_removed_by_final_check() {
    let store = Store::start().await;
    let gate = Gate::new(store.addr());
    let app = Setup::new().store(&store).s3(gate.endpoint()).start().await;
    let in_parts = json!({"multipart": true, "size": 11 << 20});
    let session = app.create("a.bin", in_parts).await;
    let open = app.bucket.open_uploads().await;
    app.bucket.send_part("a.bin", &open[0].1, 1).await;
    gate.close().await;
    cancel(&app, &session).await;
    gate.restore();
    assert_eq!(app.bucket.open_uploads().await, open);
    app.advance(URL_IS_OVER);
    assert_eq!(app.janitor().await, finally_checked(1, 0));
    assert_eq!(app.bucket.open_uploads().await, []);
}

#[tokio::test]
async fn final_check_keeps_foreign_object_and_object_of_later_upload() {
    let app = App::start().await;
    let foreign = app.upload("foreign", "bytes", json!({})).await;
    let next = app.upload("next", "bytes", json!({})).await;
    for upload in [&foreign, &next] {
        delete(&app, upload).await;
    }
    app.bucket.put("foreign", "of another program").await;
    let later = app.upload("next", "of the next upload", json!({})).await;
    app.advance(URL_IS_OVER);
    assert_eq!(app.janitor().await, finally_checked(2, 0));
    assert_eq!(app.bucket.get("foreign").await, b"of another program");
    assert_eq!(app.bucket.get("next").await, b"of the next upload");
    assert_eq!(app.read(&later).await["status"], "Uploaded");
}

#[tokio::test]
async fn final_check_is_repeated_when_process_died_after_the_removal() {
    let app = App::start().await;
    let upload = app.upload("a.csv", "bytes", json!({})).await;
    delete(&app, &upload).await;
    app.bucket
        .put_as(id(&upload), "a.csv", "late", "text/csv")
        .await;
    app.advance(URL_IS_OVER);
    assert_eq!(app.janitor().await, finally_checked(1, 1));
    // This is what a process leaves that dies before it updates the row.
    let unmark = "UPDATE uploads SET settled_at = NULL, janitor_due_at = NULL";
    app.sql().await.execute(unmark, &[]).await.expect("a row");
    assert_eq!(app.janitor().await, finally_checked(1, 0));
}

#[tokio::test]
async fn delete_after_end_of_url_needs_no_final_check() {
    let app = App::start().await;
    let upload = app.upload("a.csv", "bytes", json!({})).await;
    app.advance(URL_IS_OVER);
    delete(&app, &upload).await;
    let before = head_requests(&app).await;
    assert_eq!(app.janitor().await, Round::default());
    assert_eq!(head_requests(&app).await, before, "S3 is not asked");
    let marked = "SELECT count(*) FROM uploads WHERE settled_at IS NOT NULL";
    let row = app.sql().await.query_one(marked, &[]).await.expect("a row");
    assert_eq!(row.get::<_, i64>(0), 1, "and never will be");
}
