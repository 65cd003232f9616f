//! A store that rejects requests or sends unreadable answers is distinguished from one that is not
//! available.

use serde_json::json;

use super::changeable_store;
use crate::support::app::{App, Setup, id};
use crate::support::reply::Reply;
use crate::support::rewriting_proxy::{ProxiedResponse, Rewrite};
use crate::support::serving::Place;

/// The public detail of a 503, which must reveal nothing of the store's answer.
#[track_caller]
fn detail(reply: Reply) -> String {
    for word in ["secret words", "<Error>", "NotImplemented", "127.0.0.1"] {
        assert!(!reply.body.contains(word), "{word:?} in {reply:#?}");
    }
    assert!(reply.header("retry-after").is_some(), "{reply:#?}");
    let problem = reply.expect_problem(503, "service-unavailable");
    problem["detail"].as_str().expect("words").to_owned()
}

async fn app(store: &crate::support::rewriting_proxy::RewritingProxy) -> App {
    Setup::new().s3(store.endpoint()).start().await
}

#[tokio::test]
async fn rejection_by_store_is_not_reported_as_an_outage() {
    let store = changeable_store().await;
    let app = app(&store).await;
    let session = app.create("a.csv", json!({})).await;
    for (status, code) in [
        (400, "InvalidRequest"),
        (403, "AccessDenied"),
        (405, "MethodNotAllowed"),
        (501, "NotImplemented"),
    ] {
        store.set_rule(move |_| Some(Rewrite::Replace(ProxiedResponse::error(status, code))));
        let acknowledge = format!("/uploads/{}/acknowledge", id(&session));
        for reply in [
            app.get("/datasets").await,
            app.post_empty(&acknowledge).await,
        ] {
            let words = detail(reply);
            assert!(words.starts_with("S3 refuses"), "{status}: {words}");
            assert!(!words.contains("does not answer"), "{status}: {words}");
        }
        assert_eq!(app.read(&session).await["status"], "Pending");
    }
    for (status, code) in [
        (503, "SlowDown"),
        (500, "InternalError"),
        (400, "RequestTimeout"),
    ] {
        store.set_rule(move |_| Some(Rewrite::Replace(ProxiedResponse::error(status, code))));
        let words = detail(app.get("/datasets").await);
        assert!(words.starts_with("S3 does not answer"), "{status}: {words}");
    }
}

#[tokio::test]
async fn invalid_answer_of_store_is_reported_as_unreadable() {
    let store = changeable_store().await;
    let app = app(&store).await;
    for document in ["<html>It works!</html>", "no XML at all", ""] {
        store.set_rule(move |_| Some(Rewrite::Replace(ProxiedResponse::xml(200, document))));
        let words = detail(app.get("/datasets").await);
        assert!(words.contains("cannot be read"), "{document:?}: {words}");
    }
}

/// The operator needs status and code.
#[tokio::test]
async fn status_and_code_of_a_rejection_are_logged() {
    let store = changeable_store().await;
    store.set_rule(|asked| {
        (asked.method == "GET")
            .then(|| Rewrite::Replace(ProxiedResponse::error(405, "MethodNotAllowed")))
    });
    let place = Place::new().await;
    let run = place.serve().set("AWS_ENDPOINT_URL_S3", store.endpoint());
    let (mut process, caller) = place.start(run).await;
    detail(caller.get("/datasets").await);
    process
        .wait_for_log("S3 refuses ListObjectsV2: 405 MethodNotAllowed")
        .await;
}

#[tokio::test]
async fn checksum_algorithm_rejected_by_store_is_reported_as_field_error() {
    let store = changeable_store().await;
    let app = app(&store).await;
    let in_parts = app
        .create("parts.bin", json!({"multipart": true, "size": 3}))
        .await;
    for (status, code) in [
        (400, "InvalidRequest"),
        (400, "InvalidArgument"),
        (400, "UnsupportedAlgorithm"),
        (501, "NotImplemented"),
    ] {
        store.set_rule(move |asked| {
            let refused = asked.is("POST", "?uploads") && asked.has("x-amz-checksum-algorithm");
            refused.then(|| Rewrite::Replace(ProxiedResponse::error(status, code)))
        });
        let body = json!({"path": "a.bin", "size": 3, "part_checksums": "CRC32"});
        let problem = app.post("/uploads", body.clone()).await;
        let problem = problem.expect_problem(422, "invalid-request");
        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], "/part_checksums", "{code}: {problem:#}");
        let batch = app.post("/uploads/batch", json!({"uploads": [body]})).await;
        let batch = batch.expect(reqwest::StatusCode::OK);
        assert_eq!(batch["results"][0]["status"], 422, "{code}: {batch:#}");

        let path = format!("/uploads/{}/parts", id(&in_parts));
        let checksum = json!({"algorithm": "CRC32", "value": "NSRBwg=="});
        let asked = json!({"parts": [{"part_number": 1, "checksum": checksum}]});
        let problem = app.post(&path, asked).await;
        let problem = problem.expect_problem(422, "invalid-request");
        let pointer = &problem["errors"][0]["pointer"];
        assert_eq!(
            pointer, "/parts/0/checksum/algorithm",
            "{code}: {problem:#}"
        );
    }
}
