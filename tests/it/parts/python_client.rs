//! Parts that are sent by a client in another language, and parts for a store that is restarted.

use reqwest::StatusCode;
use serde_json::json;

use super::scene::{MIN, Scene, bytes, crc64};
use crate::support::app::{App, Setup};
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::store::Store;
use crate::support::{cloud, python};

/// Runs the Python client with the store at `s3` and returns its output.
async fn python_sends_parts(app: &App, s3: String, checks: &str) -> String {
    let mut settings = cloud::settings();
    settings.retain(|(name, _)| *name != "AWS_ENDPOINT_URL_S3");
    settings.extend([
        ("AWS_ENDPOINT_URL_S3", s3),
        ("BROKER_URL", app.url.clone()),
        ("BROKER_KEY", app.key.clone()),
        ("BUCKET", app.bucket.name.clone()),
        ("CHECKS", checks.to_owned()),
    ]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parts_by_url.py");
    let run = move || python::run(&[script], &settings);
    tokio::task::spawn_blocking(run).await.expect("Python")
}

#[tokio::test]
async fn python_client_uploads_parts_to_embedded_store() {
    let scene = Scene::new().await;
    let said = python_sends_parts(&scene.app, scene.store.endpoint(), "yes").await;
    assert_eq!(said, "level checksum\nall held\n");
}

/// This store has no checksums of whole objects in parts, so the verification level is `size`.
#[tokio::test]
async fn python_client_uploads_parts_to_store_without_checksums() {
    let app = App::start().await;
    let said = python_sends_parts(&app, cloud::endpoint(), "no").await;
    assert_eq!(said, "level size\nall held\n");
}

/// Sessions, URLs and parts survive a restart of the store.
#[tokio::test]
async fn multipart_upload_continues_after_restart_of_the_store() {
    let store = Store::start().await;
    let proxy = FaultyProxy::new(store.addr());
    let setup = Setup::new().store(&store).s3(proxy.endpoint());
    let app = setup.start().await;
    let scene = Scene { app, store };
    let whole = bytes(2 * MIN + 5);
    let session = scene.begin("a.bin", whole.len(), json!({})).await;
    let parts = Scene::parts(&session).clone();
    scene.send_of(&parts[0], &whole).await;
    scene.send_of(&parts[2], &whole).await;
    let Scene { app, store } = scene;
    proxy.set_mode(Mode::Respond(
        "HTTP/1.1 503 Slow Down\r\nconnection: close\r\n\r\n",
    ));
    let stopped = store.stop().await;
    app.acknowledge(&session)
        .await
        .expect_problem(503, "service-unavailable");
    let store = stopped.start().await;
    proxy.set_mode(Mode::Forward(store.addr()));
    let scene = Scene { app, store };
    assert_eq!(scene.listed(&session).await["missing"], json!([[2, 2]]));
    scene.send_of(&parts[1], &whole).await;
    let claims = json!({"checksum": crc64(&whole)});
    let upload = scene
        .acknowledge(&session, claims)
        .await
        .expect(StatusCode::OK);
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
    let listed = scene
        .app
        .get("/datasets/a.bin")
        .await
        .expect(StatusCode::OK);
    assert_eq!(listed["size"], whole.len(), "{listed:#}");
}
