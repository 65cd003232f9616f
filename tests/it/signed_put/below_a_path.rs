//! A store whose endpoint has a path: `https://example.com/storage/v1/s3`.
//!
//! The store of the tests checks signatures over the complete path that it receives. The path of
//! the endpoint is one of its buckets, and the broker's bucket is the first segment of the keys in
//! it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{App, Setup, id};
use crate::support::cloud::Bucket;
use crate::support::reply::Reply;
use crate::support::store::Store;

/// The minimum size of a part in S3, in bytes.
const PART: usize = 5 << 20;

/// Uploads, downloads and deletes a dataset in one piece and one in parts.
async fn upload_read_and_delete(app: &App) {
    let anew = json!({"overwrite": true});
    app.upload("/data/a b.csv", "one", anew).await;
    let download = app.get("/datasets/data/a%20b.csv/action/download").await;
    let url = download.header("location").expect("a location");
    assert_eq!(Reply::of(app.http.get(url)).await.expect_ok().body, "one");
    let head = app.request(Method::HEAD, "/datasets/data/a%20b.csv/action/download");
    let head = Reply::of(head).await;
    let url = head.header("location").expect("a location");
    Reply::of(app.http.head(url)).await.expect_ok();

    let parts = json!({"multipart": true, "size": PART + 1, "part_size": PART});
    let session = app.create("/data/b.bin", parts).await;
    for (part, size) in [(0, PART), (1, 1)] {
        let url = session["multipart"]["parts"][part]["url"].as_str();
        let put = app.http.put(url.expect("a URL")).body(vec![b'x'; size]);
        Reply::of(put).await.expect_ok();
    }
    let uploaded: Value = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(uploaded["status"], "Uploaded", "{uploaded:#}");
    app.delete(&format!("/uploads/{}", id(&session)))
        .await
        .expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn endpoint_with_a_path_works_with_and_without_trailing_slash() {
    let store = Store::start().await;
    let outer = Bucket::at(&store.endpoint()).await;
    let below = format!("{}/{}", store.endpoint(), outer.name);
    for endpoint in [below.clone(), format!("{below}/")] {
        let setup = Setup::new().store(&store).s3(endpoint);
        let app = setup.set("BROKER_S3_BUCKET", "inner").start().await;
        upload_read_and_delete(&app).await;
    }
}

#[tokio::test]
async fn public_endpoint_with_a_path_is_signed_with_the_path() {
    let store = Store::start().await;
    let outer = Bucket::at(&store.endpoint()).await;
    let below = format!("{}/{}", store.endpoint(), outer.name);
    for public in [below.clone(), format!("{below}/")] {
        let setup = Setup::new().store(&store).s3(below.clone());
        let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", &public);
        let app = setup.set("BROKER_S3_BUCKET", "inner").start().await;
        let session = app.create("/x.csv", json!({"size": 1})).await;
        let url = session["upload"]["url"].as_str().expect("a URL");
        assert!(url.starts_with(&format!("{below}/inner/x.csv?")), "{url}");
        upload_read_and_delete(&app).await;
    }
}
