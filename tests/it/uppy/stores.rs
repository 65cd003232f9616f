//! The embedded store and the forms: it holds the policy, and a page may read what Uppy needs.

use reqwest::StatusCode;
use serde_json::json;

use super::client::{Uppy, field, send_form, setup, upload_at, upload_of, whole_part};
use crate::support::store::Store;

#[tokio::test]
async fn embedded_store_holds_the_policy_of_forms() {
    let store = Store::start().await;
    let app = setup()
        .store(&store)
        .set("BROKER_MAX_SIZE_BYTES", 10)
        .start()
        .await;
    let uppy = Uppy::v5(&app);
    let form = uppy
        .params("filename=a+%C3%A9%2B.txt&type=text%2Fplain")
        .await;
    let large = send_form(&app.http, &form, b"eleven byte").await;
    assert!(large.body.contains("EntityTooLarge"), "{large:#?}");
    for name in ["key", "content-type", "x-amz-meta-upload-id"] {
        let mut other = form.clone();
        other["fields"][name] = json!("other/thing");
        let refused = send_form(&app.http, &other, b"x").await;
        assert!(refused.status.is_client_error(), "{name}: {refused:#?}");
    }
    let mut more = form.clone();
    more["fields"]["x-amz-meta-more"] = json!("x");
    let refused = send_form(&app.http, &more, b"x").await;
    assert!(
        refused.status.is_client_error(),
        "another field: {refused:#?}"
    );
    assert!(app.bucket.keys().await.is_empty());

    let sent = send_form(&app.http, &form, b"hello").await;
    assert_eq!(sent.status, StatusCode::CREATED, "{sent:#?}");
    for name in ["etag", "location"] {
        assert!(sent.header(name).is_some(), "no {name}: {sent:#?}");
        let exposed = sent
            .header("access-control-expose-headers")
            .expect("exposed");
        assert!(exposed.to_lowercase().contains(name), "{exposed}");
    }
    let acknowledge = format!("/uploads/{}/acknowledge", upload_of(&form));
    let upload = app.post_empty(&acknowledge).await.expect(StatusCode::OK);
    assert_eq!(
        upload["path"],
        format!("/{}", field(&form, "key")),
        "{upload:#}"
    );
}

#[tokio::test]
async fn embedded_store_completes_parts() {
    let store = Store::start().await;
    let app = setup().store(&store).start().await;
    let uppy = Uppy::v5(&app);
    let upload = uppy.begin("a b+é.bin").await;
    let first = upload.send(1, whole_part(1)).await;
    let second = upload.send(2, b"x".to_vec()).await;
    let parts = json!([
        {"PartNumber": 2, "ETag": second.trim_matches('"')},
        {"PartNumber": 1, "ETag": first},
    ]);
    upload.complete(parts).await.expect(StatusCode::OK);
    let row = upload_at(&app, &upload.key).await;
    assert_eq!(row["verification"]["by"], "uppy", "{row:#}");
}
