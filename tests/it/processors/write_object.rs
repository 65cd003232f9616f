//! A local file is written as the object of an upload, and is proven like that of any client.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::upload::Upload;
use upload_broker::objects::write::checksum_of;
use upload_broker::store::{pool, uploads};
use upload_broker::usecases;
use upload_broker::usecases::uploads::{read_object, write_object};

use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::rewriting_proxy::RewritingProxy;

const MIB: usize = 1 << 20;

fn file_of(bytes: &[u8]) -> Arc<File> {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("its bytes");
    Arc::new(file)
}

/// The row of a session.
async fn row(app: &App, session: &Value) -> Upload {
    let mut connection = pool::connect(app.database.url()).await.expect("Postgres");
    let id = id(session).parse().expect("an id");
    let found = uploads::find_in_any_tenant(&mut connection, id).await;
    found.expect("a row").expect("the upload")
}

/// Writes `bytes` as the object of a session, as the broker itself does.
async fn write(app: &App, session: &Value, bytes: &[u8]) -> usecases::Result<()> {
    let upload = row(app, session).await;
    write_object::write(&app.broker, &upload, &file_of(bytes), bytes.len() as u64).await
}

/// Reads the proven object of an upload.
async fn read(app: &App, session: &Value) -> Vec<u8> {
    use futures::TryStreamExt as _;
    let upload = row(app, session).await;
    let opened = read_object::open(&app.broker, &upload).await.expect("S3");
    let object = opened.expect("a proven object");
    let chunks: Vec<_> = object.bytes.try_collect().await.expect("its bytes");
    let bytes = chunks.concat();
    assert_eq!(bytes.len() as u64, object.size);
    bytes
}

async fn checksum(bytes: &[u8]) -> Value {
    let checksum = checksum_of(&file_of(bytes)).await.expect("a checksum");
    serde_json::to_value(checksum).expect("JSON")
}

#[tokio::test]
async fn written_object_is_proven_at_level_checksum() {
    let app = App::start().await;
    for bytes in [
        Vec::new(),
        b"Song,Plays\nTitanium,2\n".to_vec(),
        vec![7; 3 * MIB + 5],
    ] {
        let path = format!("/derived/{}.csv", bytes.len());
        let more = json!({"size": bytes.len(), "checksum": checksum(&bytes).await});
        let session = app.create(&path, more).await;
        write(&app, &session, &bytes).await.expect("S3");
        let proven = app.acknowledge(&session).await.expect(StatusCode::OK);
        assert_eq!(proven["status"], "Uploaded", "{proven:#}");
        assert_eq!(proven["verification"]["level"], "checksum", "{proven:#}");
        assert_eq!(proven["object"]["size"], bytes.len(), "{proven:#}");
        assert!(read(&app, &session).await == bytes);
    }
}

#[tokio::test]
async fn request_has_the_headers_that_a_client_must_send() {
    let proxy = RewritingProxy::new(cloud::address()).await;
    let app = Setup::new()
        .s3(proxy.endpoint())
        .set("BROKER_S3_SSE", "AES256")
        .start()
        .await;
    let more = json!({
        "size": 5,
        "checksum": checksum(b"bytes").await,
        "content_encoding": "gzip",
        "content_disposition": "attachment; filename=\"a.csv\"",
        "content_language": "de",
        "cache_control": "no-store",
        "storage_class": "STANDARD_IA",
        "tags": {"team": "a b"},
    });
    let session = app.create("/derived/a.csv", more).await;
    write(&app, &session, b"bytes").await.expect("S3");
    let requests = proxy.requests();
    let put = requests
        .iter()
        .find(|asked| asked.is("PUT", "derived/a.csv"));
    let put = put.expect("a PUT");
    for (name, value) in session["upload"]["headers"].as_object().expect("headers") {
        let sent = put
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name}: {put:?}"));
        assert_eq!(sent.to_str().ok(), value.as_str(), "{name}");
    }
    assert_eq!(put.headers["content-length"], "5");
    app.acknowledge(&session).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn upload_in_parts_is_written_in_its_parts() {
    let app = App::start().await;
    let bytes: Vec<u8> = (0..11 * MIB).map(|n| (n % 251) as u8).collect();
    for part_checksums in [json!(null), json!("SHA256")] {
        let mut more = json!({"size": bytes.len(), "multipart": true, "part_size": 5 * MIB});
        if !part_checksums.is_null() {
            more["part_checksums"] = part_checksums.clone();
        }
        let path = format!("/derived/{part_checksums}.csv").replace('"', "");
        let session = app.create(&path, more).await;
        write(&app, &session, &bytes).await.expect("S3");
        let proven = app.acknowledge(&session).await.expect(StatusCode::OK);
        assert_eq!(proven["object"]["size"], bytes.len(), "{proven:#}");
        let etag = proven["object"]["etag"].as_str().expect("an ETag");
        assert!(etag.ends_with("-3\""), "of three parts: {etag}");
        assert!(read(&app, &session).await == bytes);
    }
}

#[tokio::test]
async fn object_that_stands_at_the_path_is_not_replaced() {
    let app = App::start().await;
    let session = app.create("/derived/a.csv", json!({})).await;
    app.bucket.put("derived/a.csv", "foreign").await;
    write(&app, &session, b"bytes")
        .await
        .expect("the acknowledge finds the other object");
    app.acknowledge(&session)
        .await
        .expect_problem(409, "dataset-exists");
    assert_eq!(app.bucket.get("derived/a.csv").await, b"foreign");
}

#[tokio::test]
async fn object_is_proven_although_the_answer_to_its_write_was_lost() {
    let proxy = FaultyProxy::new(cloud::address());
    let app = Setup::new().s3(proxy.endpoint()).start().await;
    let session = app.create("/derived/a.csv", json!({"size": 5})).await;
    proxy.set_mode(Mode::Truncate(cloud::address(), 12));
    let back = async {
        let arrived = async || app.bucket.head("derived/a.csv").await.is_some();
        crate::support::observe::eventually("the object", arrived).await;
        proxy.set_mode(Mode::Forward(cloud::address()));
    };
    let (written, ()) = tokio::join!(write(&app, &session, b"bytes"), back);
    written.expect("S3");
    let proven = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(proven["status"], "Uploaded", "{proven:#}");
}

#[tokio::test]
async fn parts_are_written_although_connections_break() {
    let proxy = FaultyProxy::new(cloud::address());
    let app = Setup::new().s3(proxy.endpoint()).start().await;
    let bytes = vec![7; 15 * MIB];
    let more = json!({"size": bytes.len(), "multipart": true, "part_size": 5 * MIB});
    let session = app.create("/derived/a.csv", more).await;
    let breaks = async {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(60)).await;
            proxy.set_mode(Mode::Respond(
                "HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n",
            ));
            tokio::time::sleep(Duration::from_millis(60)).await;
            proxy.set_mode(Mode::Forward(cloud::address()));
        }
    };
    let (written, ()) = tokio::join!(write(&app, &session, &bytes), breaks);
    written.expect("S3");
    app.acknowledge(&session).await.expect(StatusCode::OK);
    assert!(read(&app, &session).await == bytes);
}

#[tokio::test]
async fn file_that_is_shorter_than_stated_is_an_error_and_no_object() {
    let app = App::start().await;
    let session = app.create("/derived/a.csv", json!({"size": 10})).await;
    let upload = row(&app, &session).await;
    let written = write_object::write(&app.broker, &upload, &file_of(b"bytes"), 10).await;
    written.expect_err("the file has 5 bytes");
    app.acknowledge(&session)
        .await
        .expect_problem(409, "object-missing");
}

#[tokio::test]
async fn replaced_object_is_gone_for_its_readers() {
    use futures::StreamExt as _;
    let app = App::start().await;
    let session = app.create("/in/a.csv", json!({"size": 5})).await;
    app.put(&session, "bytes").await.expect_ok();
    let pending = row(&app, &session).await;
    assert!(
        read_object::open(&app.broker, &pending)
            .await
            .expect("S3")
            .is_none()
    );
    app.acknowledge(&session).await.expect(StatusCode::OK);
    app.bucket.put("in/a.csv", "other").await;
    let upload = row(&app, &session).await;
    let opened = read_object::open(&app.broker, &upload).await.expect("S3");
    let mut object = opened.expect("a proven object");
    let error = object
        .bytes
        .next()
        .await
        .expect("an item")
        .expect_err("other bytes");
    assert!(read_object::is_gone(&error), "{error}");
    assert!(!read_object::is_gone(&std::io::Error::other("the disk")));
}
