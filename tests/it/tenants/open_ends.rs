//! Uploads without a size count against the quota with the size of their signed parts.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::{Scene, quota};
use crate::support::app::id;
use crate::support::reply::Reply;

const MIB: u64 = 1 << 20;

fn part(number: u32, size: u64) -> Value {
    json!({"parts": [{"part_number": number, "size": size}]})
}

#[tokio::test]
async fn signed_parts_count_against_quota_until_the_upload_ends() {
    let scene = Scene::new(quota(Some(6 * MIB), None)).await;
    let open = scene.create("/open.bin", json!({"multipart": true})).await;
    let path = format!("/uploads/{}", id(&open));
    let parts = format!("{path}/parts");
    let ask = async |body| scene.post(&parts, body).await;
    assert_eq!(scene.used().await, (0, 1));
    let signed = ask(part(1, 5 * MIB)).await.expect(StatusCode::OK);
    assert_eq!(scene.used().await, (5 * MIB, 1));
    // The same part counts once.
    ask(part(1, 5 * MIB)).await.expect(StatusCode::OK);
    assert_eq!(scene.used().await, (5 * MIB, 1));
    let problem = ask(part(2, MIB + 1)).await;
    let problem = problem.expect_problem(409, "quota-exceeded");
    assert_eq!(problem["quota"]["name"], "bytes", "{problem:#}");
    assert_eq!(
        scene.no_room("/b.bin", json!({"size": MIB + 1})).await,
        "bytes"
    );
    ask(part(2, MIB)).await.expect(StatusCode::OK);
    assert_eq!(scene.used().await, (6 * MIB, 1));

    // Less arrives than was signed. The dataset counts with its actual size.
    let url = signed["parts"][0]["url"].as_str().expect("a URL");
    let bytes = vec![b'x'; usize::try_from(5 * MIB).expect("a size")];
    let sent = scene.acme.http.put(url).body(bytes);
    Reply::of(sent).await.expect_ok();
    let size = json!({"size": 5 * MIB});
    let done = scene.post(&format!("{path}/acknowledge"), size).await;
    done.expect(StatusCode::OK);
    assert_eq!(scene.used().await, (5 * MIB, 0));

    // A cancelled upload gives back everything.
    let other = scene.create("/other.bin", json!({"multipart": true})).await;
    let path = format!("/uploads/{}", id(&other));
    let signed = scene.post(&format!("{path}/parts"), part(1, MIB)).await;
    signed.expect(StatusCode::OK);
    assert_eq!(scene.used().await, (6 * MIB, 1));
    scene.cancel(&other).await;
    assert_eq!(scene.used().await, (5 * MIB, 0));
}

/// The same holds where the quota is set after the parts were signed.
#[tokio::test]
async fn new_quota_counts_parts_that_were_signed_before() {
    let scene = Scene::new(quota(None, None)).await;
    let open = scene.create("/open.bin", json!({"multipart": true})).await;
    let path = format!("/uploads/{}/parts", id(&open));
    let signed = scene.post(&path, part(1, 5 * MIB)).await;
    signed.expect(StatusCode::OK);
    scene.set(quota(Some(6 * MIB), None)).await;
    assert_eq!(scene.used().await, (5 * MIB, 1));
    let problem = scene.post(&path, part(2, MIB + 1)).await;
    problem.expect_problem(409, "quota-exceeded");
}
