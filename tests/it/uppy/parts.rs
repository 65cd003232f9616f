//! A file in parts: create, sign, send, complete; resumed and cancelled.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::{Multipart, Uppy, setup, upload_at, whole_part};
use crate::support::app::App;
use crate::support::observe::TIMEOUT;
use crate::support::reply::Reply;

fn bare(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

#[tokio::test]
async fn parts_in_any_order_with_mixed_etags_become_proven_object() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let upload = uppy.begin("big file+é.bin").await;
    let signed = upload.sign(1).await;
    assert_eq!(signed["expires"], 900, "{signed:#}");
    let second = upload.send(2, b"the end".to_vec()).await;
    let first = upload.send(1, whole_part(1)).await;
    // Version 6 sends bare ETags of its own parts, and quoted ones of those that it has listed.
    let parts = json!([
        {"PartNumber": 2, "ETag": bare(&second)},
        {"PartNumber": 1, "ETag": first},
    ]);
    let reply = upload.complete(parts.clone()).await;
    let done = reply.expect(StatusCode::OK);
    assert_eq!(done["key"], upload.key, "{done:#}");
    assert_eq!(done["bucket"], app.bucket.name, "{done:#}");
    let location = done["location"].as_str().expect("a location");
    assert!(location.contains("big%20file%2B%C3%A9.bin"), "{location}");
    assert!(done.get("error").is_none(), "{done:#}");
    let row = upload_at(&app, &upload.key).await;
    assert_eq!(row["status"], "Uploaded", "{row:#}");
    assert_eq!(row["verification"]["by"], "uppy", "{row:#}");
    assert_eq!(row["object"]["size"], (5 << 20) + 7, "{row:#}");
    assert_eq!(app.event_types(&row).await, ["dataset.uploaded"]);
    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0).json();
    assert_eq!(message["data"]["verification"]["by"], "uppy", "{message:#}");

    // The answer was lost: the client asks again.
    let again = upload.complete(parts).await.expect(StatusCode::OK);
    assert_eq!(again, done);
    assert_eq!(app.event_types(&row).await.len(), 1);
}

#[tokio::test]
async fn resumed_upload_lists_parts_and_sends_the_missing_ones() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let upload = uppy.begin("a b.bin").await;
    assert_eq!(upload.list().await, json!([]));
    let first = upload.send(1, whole_part(7)).await;
    let listed = upload.list().await;
    assert_eq!(
        listed,
        json!([{"PartNumber": 1, "Size": 5 << 20, "ETag": first}])
    );
    let as_v5 = uppy.get(&upload.path_v5("")).await.expect(StatusCode::OK);
    assert_eq!(as_v5, listed, "the key with %20");
    let second = upload.send(2, b"x".to_vec()).await;
    let parts = json!([listed[0], {"PartNumber": 2, "ETag": bare(&second)}]);
    let path = upload.path_v5("/complete");
    let done = uppy.post(&path, json!({"parts": parts})).await;
    done.expect(StatusCode::OK);
}

#[tokio::test]
async fn cancelled_upload_frees_its_parts() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let upload = uppy.begin("a.bin").await;
    upload.send(1, whole_part(1)).await;
    for _ in 0..2 {
        assert_eq!(upload.abort().await.expect(StatusCode::OK), json!({}));
    }
    assert!(app.bucket.open_keys().await.is_empty());
    assert_eq!(upload_at(&app, &upload.key).await["status"], "Cancelled");
    for path in [upload.path("/2"), upload.path("")] {
        let ended = uppy.get(&path).await.expect_problem(409, "invalid-status");
        assert!(ended["message"].is_string(), "{ended:#}");
    }
    let parts = json!([{"PartNumber": 1, "ETag": "x"}]);
    upload
        .complete(parts)
        .await
        .expect_problem(409, "invalid-status");
}

#[tokio::test]
async fn batch_signs_several_parts() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let upload = uppy.begin("a.bin").await;
    let urls = uppy.get(&upload.path("/batch?partNumbers=1,2,10000")).await;
    let urls = urls.expect(StatusCode::OK)["presignedUrls"].clone();
    let numbers: Vec<&String> = urls.as_object().expect("URLs").keys().collect();
    assert_eq!(numbers.len(), 3, "{urls:#}");
    let url = urls["1"].as_str().expect("a URL");
    Reply::of(app.http.put(url).body("x")).await.expect_ok();
    assert_eq!(upload.list().await[0]["Size"], 1);
    for bad in ["", "0", "10001", "1,x", "1,,2"] {
        let refused = uppy
            .get(&upload.path(&format!("/batch?partNumbers={bad}")))
            .await;
        refused.expect_problem(422, "invalid-request");
    }
    for bad in ["/0", "/10001", "/x", "/-1"] {
        let refused = uppy.get(&upload.path(bad)).await;
        refused.expect_problem(422, "invalid-request");
    }
}

async fn assert_refused(upload: &Multipart<'_>, parts: Value, status: u16, code: &str) {
    let refused = upload.complete(parts.clone()).await;
    assert_eq!(refused.status.as_u16(), status, "{parts}: {refused:#?}");
    let problem = refused.expect_problem(status, code);
    assert_eq!(problem["message"], problem["detail"], "{problem:#}");
}

#[tokio::test]
async fn complete_refuses_other_parts_than_were_sent() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let upload = uppy.begin("a.bin").await;
    let first = upload.send(1, whole_part(1)).await;
    let second = upload.send(2, b"x".to_vec()).await;
    let part = |number: u32, etag: &str| json!({"PartNumber": number, "ETag": etag});
    let (one, two) = (part(1, &first), part(2, &second));
    for (parts, status, code) in [
        (json!([one, part(2, &first)]), 422, "object-mismatch"),
        (json!([one]), 422, "object-mismatch"),
        (json!([one, two, part(3, &first)]), 409, "parts-missing"),
        (json!([]), 422, "invalid-request"),
        (json!([one, one]), 422, "invalid-request"),
        (json!([part(0, "x")]), 422, "invalid-request"),
        (
            json!([{"PartNumber": "1", "ETag": "x"}]),
            422,
            "invalid-request",
        ),
        (json!([{"PartNumber": 1}]), 422, "invalid-request"),
        (
            json!([{"PartNumber": 1, "ETag": null}]),
            422,
            "invalid-request",
        ),
    ] {
        assert_refused(&upload, parts, status, code).await;
    }
    assert_eq!(upload_at(&app, &upload.key).await["status"], "Pending");
    upload
        .complete(json!([one, two]))
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn many_parts_are_listed_on_all_pages() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let upload = uppy.begin("many.bin").await;
    for number in 1..=3 {
        upload.send(number, whole_part(1)).await;
    }
    // More than one page of the store.
    for number in 4..=1_010 {
        app.bucket
            .send_part(&upload.key, &upload.s3_upload_id, number)
            .await;
    }
    let listed = upload.list().await;
    let listed = listed.as_array().expect("parts");
    assert_eq!(listed.len(), 1_010);
    let in_order = listed
        .windows(2)
        .all(|pair| pair[0]["PartNumber"].as_u64() < pair[1]["PartNumber"].as_u64());
    assert!(in_order);
}

/// A body of 10,000 parts is larger than most bodies may be.
#[tokio::test]
async fn complete_accepts_long_list() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let upload = uppy.begin("a.bin").await;
    let etag = "0123456789abcdef0123456789abcdef";
    let parts: Vec<Value> = (1..=10_000)
        .map(|number| json!({"PartNumber": number, "ETag": etag}))
        .collect();
    let refused = upload.complete(json!(parts)).await;
    refused.expect_problem(409, "parts-missing");
}

#[tokio::test]
async fn head_and_other_methods_change_nothing() {
    let app: App = setup().start().await;
    let uppy = Uppy::v5(&app);
    let upload = uppy.begin("a.bin").await;
    for (method, end, status) in [
        (Method::PUT, "", 405),
        (Method::POST, "/1", 405),
        (Method::GET, "/complete", 405),
        (Method::DELETE, "/1", 405),
        (Method::GET, "/1/2", 404),
    ] {
        let reply = Reply::of(uppy.request(method.clone(), &upload.path(end))).await;
        assert_eq!(reply.status.as_u16(), status, "{method} {end}: {reply:#?}");
        assert!(reply.json()["message"].is_string(), "{reply:#?}");
    }
    assert_eq!(upload_at(&app, &upload.key).await["status"], "Pending");
}
