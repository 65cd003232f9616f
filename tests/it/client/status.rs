//! `status` by id and by path, once and with `--watch`.

use std::net::SocketAddr;

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use serde_json::json;

use super::scene::{Scene, lines};
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::observe::eventually;
use crate::support::reply::Reply;

#[tokio::test]
async fn status_shows_upload_by_id_and_newest_upload_by_path() {
    let scene = Scene::new().await;
    let upload = scene.dataset("/data/a.csv", b"id\n1\n").await;
    let id = upload["id"].as_str().unwrap();
    let by_id = scene.end(&["status", id]).await.ok();
    let by_path = scene.end(&["status", "/data/a.csv"]).await.ok();
    assert_eq!(by_id.out, by_path.out);
    for text in [
        "Uploaded",
        id,
        "/data/a.csv",
        "5 B",
        "CRC64NVME",
        "proven: size, by acknowledge",
    ] {
        assert!(by_id.out.contains(text), "no {text:?} in {by_id:#?}");
    }
    let report = scene.end(&["status", "--json", id]).await.ok().json();
    assert_eq!(report["id"], upload["id"]);
    assert_eq!(report["object"], upload["object"]);
    assert_eq!(report["progress"], json!(null));

    // The newest upload of the path.
    let open = scene
        .app
        .create("/data/a.csv", json!({"overwrite": true, "size": 7}))
        .await;
    let shown = scene.end(&["status", "data/a.csv"]).await.ok();
    assert!(shown.out.starts_with("Pending "), "{shown:#?}");
    assert!(
        shown.out.contains(open["id"].as_str().unwrap()),
        "{shown:#?}"
    );
    assert!(shown.out.contains("declared: 7 B"), "{shown:#?}");

    scene
        .end(&["status", "/none"])
        .await
        .expect_failure(5, &["there is no upload for /none"]);
    let unknown = "0199a3c0-71d8-75a2-8a89-a4cc92ec102f";
    scene
        .end(&["status", unknown])
        .await
        .expect_failure(5, &["upload-not-found"]);
}

#[tokio::test]
async fn status_watch_prints_states_until_upload_is_final() {
    let scene = Scene::new().await;
    let open = scene.app.create("/data/a.csv", json!({"size": 3})).await;
    let id = open["id"].as_str().unwrap();
    let mut process = scene.run(&["status", "--watch", "--json", id]).spawn();
    process.wait_for_output("Pending").await;
    scene.app.put(&open, "abc").await.expect_ok();
    scene.app.acknowledge(&open).await.expect_ok();
    let ended = process.wait().await.ok();
    let states: Vec<_> = lines(&ended.out)
        .iter()
        .map(|line| line["status"].clone())
        .collect();
    assert_eq!(states, ["Pending", "Uploaded"], "{ended:#?}");
}

#[tokio::test]
async fn status_watch_exit_code_depends_on_final_state() {
    let scene = Scene::new().await;
    let cancelled = scene.app.create("/cancelled", json!({})).await;
    let id = cancelled["id"].as_str().unwrap();
    scene
        .app
        .post_empty(&format!("/uploads/{id}/cancel"))
        .await
        .expect_ok();
    let ended = scene.end(&["status", "--watch", id]).await;
    assert!(ended.out.starts_with("Cancelled"), "{ended:#?}");
    ended.expect_failure(1, &[]);

    let wrong = scene.app.create("/wrong", json!({})).await;
    let id = wrong["id"].as_str().unwrap();
    scene.app.put(&wrong, "abc").await.expect_ok();
    let claims = json!({"size": 4});
    let refused = scene
        .app
        .post(&format!("/uploads/{id}/acknowledge"), claims)
        .await;
    refused.expect_problem(422, "object-mismatch");
    let ended = scene.end(&["status", "--watch", id]).await;
    assert!(ended.out.contains("object-mismatch: "), "{ended:#?}");
    ended.expect_failure(7, &[]);
}

/// Between the completion at S3 and the commit there are no parts any more, and no proof yet.
#[tokio::test]
async fn status_shows_upload_between_completion_at_s3_and_commit() {
    let scene = Scene::new().await;
    let parts = json!({"size": 3, "multipart": true});
    let session = scene.app.create("/a.bin", parts).await;
    let part = &session["multipart"]["parts"][0]["url"];
    let put = scene.app.http.put(part.as_str().expect("a URL"));
    Reply::of(put.body("abc")).await.expect_ok();
    let id = session["id"].as_str().unwrap();
    let mut process = scene.run(&["status", "--watch", "--json", id]).spawn();
    process.wait_for_output("Pending").await;

    let bucket = &scene.app.bucket;
    let (key, upload_id) = bucket.open_uploads().await.remove(0);
    let parts = bucket.client.list_parts().bucket(&bucket.name);
    let parts = parts.key(&key).upload_id(&upload_id).send().await;
    let etag = parts.expect("parts").parts()[0].e_tag.clone();
    let part = CompletedPart::builder().part_number(1).set_e_tag(etag);
    let all = CompletedMultipartUpload::builder().parts(part.build());
    let complete = bucket.client.complete_multipart_upload();
    let complete = complete.bucket(&bucket.name).key(&key).upload_id(upload_id);
    let complete = complete.multipart_upload(all.build()).send().await;
    complete.expect("an object");

    let shown = scene.end(&["status", "--json", id]).await.ok().json();
    assert_eq!(shown["status"], "Pending", "{shown:#}");
    assert_eq!(shown["progress"], json!(null), "{shown:#}");
    scene.app.acknowledge(&session).await.expect_ok();
    let ended = process.wait().await.ok();
    let last = lines(&ended.out).pop().expect("a line");
    assert_eq!(last["status"], "Uploaded", "{ended:#?}");
}

/// A connection that breaks in the middle of an answer does not yield a wrong answer.
#[tokio::test]
async fn status_retries_truncated_answer() {
    let scene = Scene::new().await;
    let upload = scene.dataset("/data/a.csv", b"id\n1\n").await;
    let broker = scene.app.url.trim_start_matches("http://");
    let broker: SocketAddr = broker.parse().expect("an address");
    let proxy = FaultyProxy::new(broker);
    // The head, and the first of the body.
    proxy.set_mode(Mode::Truncate(broker, 600));
    let id = upload["id"].as_str().unwrap();
    let run = scene.run(&["status", id]);
    let process = run.set("UPLOAD_BROKER_URL", proxy.endpoint()).spawn();
    let reads =
        r#"http_request_duration_seconds_count{method="GET",route="/uploads/{id}",status="2xx"}"#;
    eventually("it asks again", async || {
        scene.app.metric(reads).await >= 2.0
    })
    .await;
    proxy.set_mode(Mode::Forward(broker));
    let ended = process.wait().await.ok();
    assert!(ended.out.contains("Uploaded"), "{ended:#?}");
}
