//! A file in one request: the form of `GET /s3/params`, sent to the store.

use reqwest::StatusCode;
use serde_json::json;

use super::client::{Uppy, field, send_form, setup, upload_of};
use crate::support::observe::TIMEOUT;

/// The query that version 6 was seen to send.
const RECORDED: &str = "filename=a+b+%C3%A9.txt&type=text%2Fplain&metadata%5Bdataset%5D=ds+1&metadata%5Bname%5D=a+b+%C3%A9.txt&metadata%5Btype%5D=text%2Fplain";

#[tokio::test]
async fn form_creates_object_that_acknowledge_proves() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let form = uppy.params(RECORDED).await;
    assert_eq!(form["method"], "POST", "{form:#}");
    assert_eq!(form["expires"], 900, "{form:#}");
    let url = form["url"].as_str().expect("a URL");
    assert!(url.ends_with(&format!("/{}", app.bucket.name)), "{url}");
    let key = field(&form, "key").to_owned();
    assert!(key.ends_with("-a b é.txt"), "{key}");
    // What version 6 refuses in a form.
    for (name, value) in form["fields"].as_object().expect("fields") {
        let name = name.to_lowercase();
        assert!(!["file", "redirect", "success_action_redirect"].contains(&name.as_str()));
        assert!(value.is_string(), "{form:#}");
    }
    assert_eq!(field(&form, "success_action_status"), "201");

    let sent = send_form(&app.http, &form, b"hello").await;
    assert_eq!(sent.status, StatusCode::CREATED, "{sent:#?}");
    assert_eq!(app.bucket.get(&key).await, b"hello");
    let id = upload_of(&form);
    let upload = app.post_empty(&format!("/uploads/{id}/acknowledge")).await;
    let upload = upload.expect(StatusCode::OK);
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    assert_eq!(upload["path"], format!("/{key}"), "{upload:#}");
    assert_eq!(upload["name"], "a b é.txt", "{upload:#}");
    assert_eq!(upload["content_type"], "text/plain", "{upload:#}");
    assert_eq!(upload["metadata"], json!({"dataset": "ds 1"}), "{upload:#}");
    assert_eq!(upload["object"]["size"], 5, "{upload:#}");
    assert_eq!(upload["verification"]["by"], "acknowledge", "{upload:#}");
    assert_eq!(app.event_types(&upload).await, ["dataset.uploaded"]);
    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0).json();
    assert_eq!(message["data"]["upload_id"], id, "{message:#}");
}

#[tokio::test]
async fn empty_file_is_single_upload() {
    let app = setup().start().await;
    let form = Uppy::v5(&app).params("filename=empty.bin&type=").await;
    send_form(&app.http, &form, b"").await.expect_ok();
    let acknowledge = format!("/uploads/{}/acknowledge", upload_of(&form));
    let upload = app.post_empty(&acknowledge).await.expect(StatusCode::OK);
    assert_eq!(upload["object"]["size"], 0, "{upload:#}");
    assert_eq!(
        upload["content_type"], "application/octet-stream",
        "{upload:#}"
    );
}

#[tokio::test]
async fn every_file_gets_its_own_key() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let first = uppy.params("filename=a.txt&type=text/plain").await;
    let second = uppy.params("filename=a.txt&type=text/plain").await;
    assert_ne!(field(&first, "key"), field(&second, "key"));
    for (form, bytes) in [(&first, b"one"), (&second, b"two")] {
        send_form(&app.http, form, bytes).await.expect_ok();
        let acknowledge = format!("/uploads/{}/acknowledge", upload_of(form));
        app.post_empty(&acknowledge).await.expect(StatusCode::OK);
    }
    assert_eq!(app.bucket.get(field(&first, "key")).await, b"one");
}

#[tokio::test]
async fn store_refuses_form_with_other_fields() {
    let app = setup().start().await;
    let form = Uppy::v5(&app)
        .params("filename=a.txt&type=text/plain")
        .await;
    for (name, value) in [
        ("key", "elsewhere.txt"),
        ("content-type", "text/html"),
        (
            "x-amz-meta-upload-id",
            "01955114-3a40-7c3e-9d2b-8f1f5f0c2a11",
        ),
        ("acl", "public-read"),
    ] {
        let mut other = form.clone();
        other["fields"][name] = json!(value);
        let refused = send_form(&app.http, &other, b"x").await;
        assert_eq!(
            refused.status,
            StatusCode::FORBIDDEN,
            "{name}: {refused:#?}"
        );
    }
    assert!(app.bucket.keys().await.is_empty());
    send_form(&app.http, &form, b"x").await.expect_ok();
}
