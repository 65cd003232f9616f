//! More parts than fit on one page of the store's listing.

use futures::StreamExt as _;
use futures::stream;
use reqwest::Method;
use serde_json::{Value, json};

use super::scene::Scene;
use crate::support::app::{Setup, id};
use crate::support::faulty_proxy::Mode;

const GONE: &str = "HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n\
                    <Error><Code>NoSuchUpload</Code><Message>why</Message></Error>";

/// Uploads one-byte parts past the broker.
async fn slip_in(scene: &Scene, numbers: impl Iterator<Item = i32>) {
    let id = scene.open().await.pop().expect("an open upload");
    let (bucket, id) = (&scene.app.bucket, &id);
    let sent = stream::iter(numbers).for_each_concurrent(8, |number| async move {
        let part = bucket.client.upload_part().bucket(&bucket.name);
        let part = part.key("a.bin").upload_id(id).part_number(number);
        let part = part.body(b"x".to_vec().into());
        part.send().await.expect("a part");
    });
    sent.await;
}

#[tokio::test]
async fn missing_parts_are_found_across_listing_pages() {
    let scene = Scene::new().await;
    let open = json!({"multipart": true});
    let session = scene.app.create("a.bin", open).await;
    slip_in(&scene, (1..=998).chain(1_002..=2_100)).await;
    let listed = scene.listed(&session).await;
    let uploaded = listed["uploaded"].as_array().expect("parts");
    let numbers = uploaded.iter().map(|part| part["part_number"].as_i64());
    let expected = (1..=998).chain(1_002..=2_100).map(Some);
    assert!(numbers.eq(expected), "{} parts", uploaded.len());
    assert_eq!(listed["missing"], json!([[999, 1_001]]));
    let reply = scene.acknowledge(&session, json!({"size": 2_100})).await;
    let problem = reply.expect_problem(409, "parts-missing");
    assert_eq!(problem["missing"], json!([[999, 1_001]]), "{problem:#}");
}

/// The parts of the later pages are not missing. They are part of an object by now.
#[tokio::test]
async fn part_listing_is_cut_off_when_the_upload_ends_meanwhile() {
    let (scene, proxy) = Scene::behind_proxy(Setup::new()).await;
    let open = json!({"multipart": true});
    let session = scene.app.create("a.bin", open).await;
    slip_in(&scene, 1..=1_001).await;
    let marker = "part-number-marker=1000";
    proxy.set_mode(Mode::RespondToMatching(scene.store.addr(), marker, GONE));
    let path = format!("/uploads/{}/parts", id(&session));
    let list = scene.app.request(Method::GET, &path);
    let answer = list.send().await.expect("an answer");
    let whole = answer.text().await.ok();
    let whole = whole.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    assert_eq!(whole, None, "it claims to be whole");
    proxy.set_mode(Mode::Forward(scene.store.addr()));
    assert_eq!(scene.listed(&session).await["missing"], json!([]));
}
