//! Values in the body of acknowledge: name, comments and metadata replace the stored ones; size,
//! ETag and checksum are compared with the object.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, id};
use crate::support::reply::Reply;

const SHA256: &str = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=";
const OTHER_SHA256: &str = "Qt0Kf9y0eq0Pa9mNo5xCumDADcDgH8ujYZXCO38ZFD0=";

async fn acknowledge_with(app: &App, session: &Value, claims: Value) -> Reply {
    app.post(&format!("/uploads/{}/acknowledge", id(session)), claims)
        .await
}

#[tokio::test]
async fn acknowledge_replaces_name_comments_and_metadata_once() {
    let app = App::start().await;
    let declared = json!({"name": "Old", "comments": "old", "metadata": {"a": "1", "b": "2"}});
    let session = app.create("a.csv", declared).await;
    app.put(&session, "123456789").await.expect_ok();
    let claims = json!({"name": "New", "comments": "checked", "metadata": {"c": "3"}});
    let uploaded = acknowledge_with(&app, &session, claims.clone()).await;
    let uploaded = uploaded.expect(StatusCode::OK);
    let event = app.events(&session).await.remove(0);
    for (name, value) in claims.as_object().unwrap() {
        assert_eq!(&uploaded[name], value, "{uploaded:#}");
        assert_eq!(&event["data"][name], value, "{event:#}");
    }
    assert_eq!(app.read(&session).await, uploaded);

    // The upload is Uploaded: a second acknowledge changes nothing, whatever its body says.
    let late = json!({"name": "Newest", "size": 1, "etag": "\"false\""});
    let again = acknowledge_with(&app, &session, late)
        .await
        .expect(StatusCode::OK);
    assert_eq!(again, uploaded);
}

#[tokio::test]
async fn acknowledge_keeps_values_that_are_omitted_or_null() {
    let app = App::start().await;
    let declared = json!({"name": "Old", "comments": "old", "metadata": {"a": "1"}});
    for (path, body) in [
        ("a", json!({})),
        ("b", json!({"name": null, "comments": null})),
    ] {
        let session = app.create(path, declared.clone()).await;
        app.put(&session, "").await.expect_ok();
        let uploaded = acknowledge_with(&app, &session, body)
            .await
            .expect(StatusCode::OK);
        for name in ["name", "comments", "metadata"] {
            assert_eq!(uploaded[name], declared[name], "{uploaded:#}");
        }
    }
}

#[tokio::test]
async fn acknowledge_records_verification_level_that_expected_values_prove() {
    let app = App::start().await;
    let checksum = json!({"algorithm": "SHA256", "value": SHA256});
    let session = app.create("a.csv", json!({"checksum": checksum})).await;
    let sent = app.put(&session, "123456789").await.expect_ok();
    let etag = sent.header("etag").expect("an etag").to_owned();
    let claims = json!({"size": 9, "etag": etag, "checksum": checksum});
    let uploaded = acknowledge_with(&app, &session, claims)
        .await
        .expect(StatusCode::OK);
    assert_eq!(
        uploaded["verification"]["level"], "checksum",
        "{uploaded:#}"
    );
    assert_eq!(uploaded["size"], 9, "{uploaded:#}");
    assert_eq!(uploaded["object"]["etag"], etag, "{uploaded:#}");

    let session = app.create("b.csv", json!({})).await;
    app.put(&session, "123456789").await.expect_ok();
    let claims = json!({"size": 9, "etag": etag.trim_matches('"')});
    let uploaded = acknowledge_with(&app, &session, claims)
        .await
        .expect(StatusCode::OK);
    assert_eq!(uploaded["verification"]["level"], "size", "{uploaded:#}");
}

#[tokio::test]
async fn acknowledge_rejects_values_that_contradict_create_or_are_invalid() {
    let app = App::start().await;
    let checksum = json!({"algorithm": "SHA256", "value": SHA256});
    let declared = json!({"size": 9, "checksum": checksum});
    let session = app.create("a.csv", declared).await;
    app.put(&session, "123456789").await.expect_ok();
    let other = json!({"algorithm": "SHA256", "value": OTHER_SHA256});
    for (claims, pointer) in [
        (json!({"size": 10}), "/size"),
        (json!({"checksum": other}), "/checksum"),
        (
            json!({"checksum": {"algorithm": "SHA1", "value": "x"}}),
            "/checksum/value",
        ),
        (json!({"etag": ""}), "/etag"),
        (json!({"name": ""}), "/name"),
        (json!({"metadata": {"k": "v".repeat(2_048)}}), "/metadata"),
        (json!({"sizes": 9}), "/sizes"),
    ] {
        let problem = acknowledge_with(&app, &session, claims.clone()).await;
        let problem = problem.expect_problem(422, "invalid-request");
        let pointers: Vec<_> = (problem["errors"].as_array().unwrap().iter())
            .map(|error| error["pointer"].as_str().unwrap())
            .collect();
        assert_eq!(pointers, [pointer], "{claims}: {problem:#}");
    }
    let now = app.read(&session).await;
    assert_eq!(now["status"], "Pending", "nothing changed: {now:#}");
    app.acknowledge(&session).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn acknowledge_fails_upload_when_expected_size_or_etag_differs() {
    let app = App::start().await;
    for (field, claims) in [
        ("size", json!({"size": 8})),
        (
            "etag",
            json!({"etag": "\"d41d8cd98f00b204e9800998ecf8427e\""}),
        ),
    ] {
        let session = app.create(field, json!({})).await;
        app.put(&session, "123456789").await.expect_ok();
        let problem = acknowledge_with(&app, &session, claims.clone()).await;
        let problem = problem.expect_problem(422, "object-mismatch");
        assert_eq!(problem["mismatches"][0]["field"], field, "{problem:#}");
        let found = problem["mismatches"][0]["found"].as_str().unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(found));
        assert_eq!(app.read(&session).await["status"], "Error");
    }
}

#[tokio::test]
async fn acknowledge_by_path_selects_newest_upload() {
    let app = App::start().await;
    let path = "/datasets/data/e%20f.csv/action/acknowledge";
    app.post_empty(path)
        .await
        .expect_problem(404, "upload-not-found");

    let old = app.create("data/e f.csv", json!({})).await;
    let new = app.create("data/e f.csv", json!({})).await;
    app.post_empty(path)
        .await
        .expect_problem(409, "object-missing");
    app.put(&new, "new").await.expect_ok();
    let reply = app.post(path, json!({"name": "Named"})).await;
    let uploaded = reply.expect(StatusCode::OK);
    assert_eq!(uploaded["id"], new["id"], "{uploaded:#}");
    assert_eq!(uploaded["name"], "Named", "{uploaded:#}");
    let again = app.post_empty(path).await.expect(StatusCode::OK);
    assert_eq!(again, uploaded);
    assert_eq!(app.read(&old).await["status"], "Pending");
    app.acknowledge(&old)
        .await
        .expect_problem(409, "dataset-exists");
}
