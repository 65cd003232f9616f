//! A database that was restored from a backup meets a bucket that is ahead of it: after the backup, objects were
//! written, replaced and removed. Nothing is overwritten or invented, and the sweep finds every difference.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::command::lines;
use super::finding_lines;
use crate::support::app::id;
use crate::support::database::Database;
use crate::support::reply::Reply;
use crate::support::serving::{Caller, Place};

async fn replace(caller: &Caller, path: &str, bytes: &str) {
    let body = json!({"path": path, "overwrite": true});
    let session = Reply::of(caller.request(Method::POST, "/uploads").json(&body)).await;
    let session = session.expect(StatusCode::CREATED);
    caller.put(&session, bytes).await.expect_ok();
    caller.acknowledge(&session).await.expect(StatusCode::OK);
}

async fn event_types(caller: &Caller, upload: &Value) -> Vec<Value> {
    let events = caller.get(&format!("/uploads/{}/events", id(upload))).await;
    let events = events.expect(StatusCode::OK);
    let events = events.as_array().expect("an array").iter();
    events.map(|event| event["type"].clone()).collect()
}

async fn sweep(place: &Place) -> Vec<String> {
    let sweep = ["janitor", "--only", "sweep", "--json"];
    finding_lines(&lines(&place.run(&sweep).finish().await))
}

#[tokio::test]
async fn restored_database_meets_a_bucket_that_is_ahead_of_it() {
    let place = Place::new().await;
    let run = place.serve().set("BROKER_JANITOR_PERIOD_SECONDS", 86_400);
    let (broker, caller) = place.start(run).await;
    let kept = caller.upload("/kept.csv", "kept").await;
    let replaced = caller.upload("/replaced.csv", "old").await;
    let deleted = caller.upload("/deleted.csv", "deleted").await;
    let open = caller.create("/open.csv").await;
    broker.stop("TERM").await.ok();
    let backup = Database::backup_of(&place.database);

    // What happens after the backup is known to the bucket only.
    let run = place.serve().set("BROKER_JANITOR_PERIOD_SECONDS", 86_400);
    let (broker, caller) = place.start(run).await;
    caller.upload("/new.csv", "new").await;
    replace(&caller, "/replaced.csv", "newer").await;
    let delete = caller.request(Method::DELETE, "/datasets/deleted.csv");
    Reply::of(delete).await.expect_ok();
    caller.put(&open, "open").await.expect_ok();
    caller.acknowledge(&open).await.expect(StatusCode::OK);
    broker.stop("TERM").await.ok();

    let restored = Place {
        database: backup,
        bucket: place.bucket,
    };
    let run = restored
        .serve()
        .set("BROKER_JANITOR_PERIOD_SECONDS", 86_400);
    let (broker, caller) = restored.start(run).await;
    let found = sweep(&restored).await;
    let expected = [
        "object-without-row reported - new.csv",
        "other-etag noted Uploaded replaced.csv",
        "row-without-object noted Uploaded deleted.csv",
        "unacknowledged-object reported Pending open.csv",
    ];
    assert_eq!(found, expected);
    for upload in [&replaced, &deleted] {
        let types = event_types(&caller, upload).await;
        assert_eq!(types, ["dataset.uploaded", "dataset.drifted"], "{upload:#}");
    }
    assert_eq!(event_types(&caller, &kept).await, ["dataset.uploaded"]);

    // An upload that was proven after the backup is proven again.
    let again = caller.acknowledge(&open).await.expect(StatusCode::OK);
    assert_eq!(again["status"], "Uploaded", "{again:#}");
    assert_eq!(event_types(&caller, &open).await, ["dataset.uploaded"]);
    // An object without a row is a dataset, and an upload does not overwrite it.
    let new = caller.get("/datasets/new.csv").await.expect(StatusCode::OK);
    assert_eq!(new["upload"], Value::Null, "{new:#}");
    let session = caller.create("/new.csv").await;
    let put = caller.put(&session, "overwritten").await;
    assert_eq!(put.status, StatusCode::PRECONDITION_FAILED, "{}", put.body);
    let cancel = format!("/uploads/{}/cancel", id(&session));
    caller.post_empty(&cancel).await.expect_ok();
    assert_eq!(restored.bucket.get("new.csv").await, b"new");

    // Uploading again, with permission to replace, ends each difference.
    for path in ["/new.csv", "/replaced.csv", "/deleted.csv"] {
        replace(&caller, path, "final").await;
    }
    assert_eq!(sweep(&restored).await, Vec::<String>::new());
    broker.stop("TERM").await.ok();
}
