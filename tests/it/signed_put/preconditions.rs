//! Which existing object a PUT may replace: none, exactly one version, or any, and stores without
//! conditional writes.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Put, at_both_stores, parameter};
use crate::support::app::{Setup, id};

const PATH: &str = "/data/employees.csv";
const KEY: &str = "data/employees.csv";

at_both_stores!(
    put_with_if_match_replaces_only_the_named_version,
    put_with_overwrite_replaces_any_object,
    drift_is_detected_without_conditional_writes,
);

async fn put_with_if_match_replaces_only_the_named_version(setup: Setup) {
    let app = setup.start().await;
    let first = app.upload(PATH, "one", json!({})).await;
    let etag = first["object"]["etag"].as_str().expect("an etag");

    // Two editors read the same version. The second one to write is rejected, and nothing is lost.
    let bare = etag.trim_matches('"');
    let ada = app.create(PATH, json!({"if_match": etag})).await;
    let bob = app.create(PATH, json!({"if_match": bare})).await;
    for session in [&ada, &bob] {
        let headers = &session["upload"]["headers"];
        assert_eq!(headers["if-match"], etag, "{headers:#}");
        assert_eq!(headers["if-none-match"], Value::Null, "{headers:#}");
    }
    let without = Put::of(&ada, "two").without("if-match").send(&app).await;
    assert_eq!(without.0, 403, "without if-match");
    assert_eq!(app.bucket.get(KEY).await, b"one");

    assert_eq!(Put::of(&ada, "two").send(&app).await.0, 200);
    let stale = Put::of(&bob, "three").send(&app).await;
    assert_eq!(stale, (412, "PreconditionFailed".into()));
    assert_eq!(app.bucket.get(KEY).await, b"two");

    app.acknowledge(&bob)
        .await
        .expect_problem(409, "object-missing");
    assert_eq!(app.read(&bob).await["status"], "Pending");
    app.acknowledge(&ada).await.expect(StatusCode::OK);
    assert_eq!(app.read(&first).await["status"], "Superseded");
    let types = app.event_types(&first).await;
    assert_eq!(types, ["dataset.uploaded", "dataset.superseded"]);
}

async fn put_with_overwrite_replaces_any_object(setup: Setup) {
    let app = setup.start().await;
    let first = app.upload(PATH, "one", json!({})).await;
    let refused = app.post("/uploads", json!({"path": PATH})).await;
    let refused = refused.expect_problem(409, "dataset-exists");
    assert_eq!(refused["upload_id"], first["id"], "{refused:#}");

    let second = app.create(PATH, json!({"overwrite": true})).await;
    let headers = &second["upload"]["headers"];
    assert_eq!(headers["if-none-match"], Value::Null, "{headers:#}");
    assert_eq!(headers["if-match"], Value::Null, "{headers:#}");
    app.put(&second, "two").await.expect_ok();
    app.acknowledge(&second).await.expect(StatusCode::OK);
    assert_eq!(app.read(&first).await["status"], "Superseded");
    let standing = app.get("/datasets/data/employees.csv").await;
    let standing = standing.expect(StatusCode::OK);
    assert_eq!(standing["upload"]["id"], second["id"], "{standing:#}");

    // A repeated acknowledge of the first upload returns its proof and its current status.
    let again = app.acknowledge(&first).await.expect(StatusCode::OK);
    assert_eq!(again["status"], "Superseded", "{again:#}");
    assert_eq!(again["object"], first["object"], "{again:#}");
}

async fn drift_is_detected_without_conditional_writes(setup: Setup) {
    let setup = setup.set("BROKER_S3_CONDITIONAL_WRITES", "off");
    let app = setup.start().await;
    let session = app.create(PATH, json!({})).await;
    let headers = &session["upload"]["headers"];
    assert_eq!(headers["if-none-match"], Value::Null, "{headers:#}");
    let signed = parameter(&session, "X-Amz-SignedHeaders").expect("signed headers");
    assert_eq!(signed, "content-type;host;x-amz-meta-upload-id");

    app.put(&session, "one").await.expect_ok();
    let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
    app.put(&session, "two").await.expect_ok();

    let list = app.get("/datasets?include=upload").await;
    let list = list.expect(StatusCode::OK);
    assert_eq!(list[0]["drifted"], true, "{list:#}");
    assert_eq!(list[0]["upload"]["id"], session["id"], "{list:#}");
    let again = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(again, uploaded, "what was proven stays what was proven");
    let path = format!("/uploads/{}", id(&session));
    let refused = app.delete(&path).await;
    refused.expect_problem(409, "dataset-drifted");
    let reply = app.delete(&format!("{path}?force=remove")).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert!(app.bucket.head(KEY).await.is_none());
}
