//! Invalid requests for parts are rejected with the field that is wrong, and change nothing.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::scene::{MIN, Scene, crc64, sha256};
use crate::support::app::id;
use crate::support::reply::Reply;

/// The pointer and the detail of the first error of a 422.
#[track_caller]
pub fn first_error(reply: Reply) -> (String, String) {
    let problem = reply.expect_problem(422, "invalid-request");
    let error = &problem["errors"][0];
    let text = |name: &str| error[name].as_str().unwrap_or("none").to_owned();
    (text("pointer"), text("detail"))
}

#[tokio::test]
async fn invalid_part_requests_are_rejected_by_field_and_change_nothing() {
    let scene = Scene::new().await;
    let session = scene.begin("a.bin", 2 * MIN + 7, json!({})).await;
    let before = scene.app.read(&session).await;
    let open = scene.open().await;
    let crc = crc64(b"x");
    let many: Vec<u32> = (0..10_001).collect();
    let many_parts: Vec<Value> = (1..10_002).map(|n| json!({"part_number": n})).collect();
    for (body, pointer) in [
        (json!({"part_numbers": [0]}), "/part_numbers/0"),
        (json!({"part_numbers": [1, 4]}), "/part_numbers/1"),
        (json!({"part_numbers": [10_001]}), "/part_numbers/0"),
        (json!({"part_numbers": [1, 2, 1]}), "/part_numbers/2"),
        (json!({"part_numbers": [-1]}), "/part_numbers/0"),
        (json!({"part_numbers": [1.5]}), "/part_numbers/0"),
        (json!({"part_numbers": ["1"]}), "/part_numbers/0"),
        (json!({"part_numbers": 1}), "/part_numbers"),
        (json!({"part_numbers": []}), "/part_numbers"),
        (json!({"part_numbers": many}), "/part_numbers"),
        (json!({"from": 0}), "/from"),
        (json!({"from": 4}), "/from"),
        (json!({"from": 10_001}), "/from"),
        (json!({"from": 1, "count": 0}), "/count"),
        (json!({"from": 2, "count": 3}), "/count"),
        (json!({"from": 1, "count": u32::MAX}), "/count"),
        (json!({"count": 1}), ""),
        (json!({}), ""),
        (Value::Null, ""),
        (json!([1]), ""),
        (json!({"part_numbers": [1], "from": 1}), ""),
        (json!({"part_numbers": [1], "count": 1}), ""),
        (json!({"from": 1, "parts": [{"part_number": 1}]}), ""),
        (json!({"parts": []}), "/parts"),
        (json!({"parts": many_parts}), "/parts"),
        (json!({"parts": [{}]}), "/parts/0/part_number"),
        (
            json!({"parts": [{"part_number": 0}]}),
            "/parts/0/part_number",
        ),
        (
            json!({"parts": [{"part_number": 1}, {"part_number": 1}]}),
            "/parts/1/part_number",
        ),
        (
            json!({"parts": [{"part_number": 1, "size": MIN - 1}]}),
            "/parts/0/size",
        ),
        (
            json!({"parts": [{"part_number": 3, "size": MIN}]}),
            "/parts/0/size",
        ),
        (
            json!({"parts": [{"part_number": 1, "etag": "x"}]}),
            "/parts/0/etag",
        ),
        (
            json!({"parts": [{"part_number": 1, "checksum": {"algorithm": "MD5", "value": "x"}}]}),
            "/parts/0/checksum/algorithm",
        ),
        (
            json!({"parts": [{"part_number": 1, "checksum": {"algorithm": "SHA256", "value": "AAAA"}}]}),
            "/parts/0/checksum/value",
        ),
        (
            json!({"parts": [{"part_number": 1, "checksum": crc}, {"part_number": 2}]}),
            "/parts/1/checksum",
        ),
        (
            json!({"parts": [{"part_number": 1}, {"part_number": 2, "checksum": crc}]}),
            "/parts/1/checksum",
        ),
        (
            json!({"parts": [{"part_number": 1, "checksum": crc},
            {"part_number": 2, "checksum": sha256(b"x")}]}),
            "/parts/1/checksum/algorithm",
        ),
        (json!({"numbers": [1]}), "/numbers"),
    ] {
        let text = body.to_string().chars().take(80).collect::<String>();
        let (found, detail) = first_error(scene.ask(&session, body).await);
        assert_eq!(found, pointer, "{text}: {detail}");
        assert!(!detail.is_empty(), "{text}");
    }
    assert_eq!(scene.app.read(&session).await, before);
    assert_eq!(scene.open().await, open, "it was begun anew");
}

#[tokio::test]
async fn part_range_in_query_is_validated_and_excludes_a_body() {
    let scene = Scene::new().await;
    let session = scene.begin("a.bin", 2 * MIN + 7, json!({})).await;
    let path = |query: &str| format!("/uploads/{}/parts?{query}", id(&session));
    for (query, pointer) in [
        ("from=0", "/from"),
        ("from=4", "/from"),
        ("from=x", "/from"),
        ("from=", "/from"),
        ("from=-1", "/from"),
        ("from=1&from=2", "/from"),
        ("from=1&count=0", "/count"),
        ("from=1&count=4", "/count"),
        ("count=2", ""),
        ("part_numbers=1", "/part_numbers"),
    ] {
        let (found, detail) = first_error(scene.app.post_empty(&path(query)).await);
        assert_eq!(found, pointer, "{query}: {detail}");
    }
    for body in [
        json!({"count": 1}),
        json!({"from": 1}),
        json!({"part_numbers": [1]}),
    ] {
        let (found, _) = first_error(scene.app.post(&path("from=1"), body.clone()).await);
        assert_eq!(found, "/from", "{body}");
    }
    let answer = scene
        .app
        .post_empty(&path("from=2"))
        .await
        .expect(StatusCode::OK);
    let numbers = answer["parts"].as_array().expect("parts").iter();
    let numbers: Vec<_> = numbers.map(|part| part["part_number"].as_u64()).collect();
    assert_eq!(numbers, [Some(2), Some(3)], "{answer:#}");
    let answer = scene.app.post(&path("from=1&count=1"), json!({})).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(
        answer["parts"].as_array().map(Vec::len),
        Some(1),
        "{answer:#}"
    );
}

/// Two million numbers fit into a body. An error for each of them would not fit into memory.
#[tokio::test]
async fn millions_of_part_numbers_get_a_short_rejection() {
    let scene = Scene::new().await;
    let session = scene.begin("a.bin", MIN + 1, json!({})).await;
    let path = format!("/uploads/{}/parts", id(&session));
    let flood = |count: usize| format!("{{\"part_numbers\":[{}1]}}", "1,".repeat(count));
    for count in [2_000_000, 9_999] {
        let post = scene.app.request(Method::POST, &path);
        let post = post.header("content-type", "application/json");
        let reply = Reply::of(post.body(flood(count))).await;
        assert!(reply.body.len() < 30_000, "{} bytes", reply.body.len());
        reply.expect_problem(422, "invalid-request");
    }
    let post = scene.app.request(Method::POST, &path);
    let post = post.header("content-type", "application/json");
    let reply = Reply::of(post.body(flood(2_200_000))).await;
    reply.expect_problem(413, "payload-too-large");
}

#[tokio::test]
async fn parts_of_unknown_total_size_need_sizes_and_announced_checksums() {
    let scene = Scene::new().await;
    let session = scene.app.create("a.bin", json!({"multipart": true})).await;
    for (body, pointer) in [
        (json!({"part_numbers": [1]}), "/parts"),
        (json!({"from": 1}), "/parts"),
        (json!({"parts": [{"part_number": 1}]}), "/parts/0/size"),
        (
            json!({"parts": [{"part_number": 1, "size": (5_u64 << 30) + 1}]}),
            "/parts/0/size",
        ),
        (
            json!({"parts": [{"part_number": 2, "size": 0}]}),
            "/parts/0/size",
        ),
        (
            json!({"parts": [{"part_number": 10_001, "size": 1}]}),
            "/parts/0/part_number",
        ),
    ] {
        let text = body.to_string();
        let (found, detail) = first_error(scene.ask(&session, body).await);
        assert_eq!(found, pointer, "{text}: {detail}");
    }
    let last = json!({"parts": [{"part_number": 10_000, "size": 1}]});
    let parts = scene.asked(&session, last).await;
    assert_eq!(parts[0]["offset"], Value::Null, "{parts:#?}");
    // Where the session announced checksums, each part needs one, of that algorithm.
    let more = json!({"multipart": true, "size": 3, "part_checksums": "SHA256"});
    let session = scene.app.create("b.bin", more).await;
    for (body, pointer) in [
        (json!({"from": 1}), "/parts"),
        (json!({"parts": [{"part_number": 1}]}), "/parts/0/checksum"),
        (
            json!({"parts": [{"part_number": 1, "checksum": crc64(b"abc")}]}),
            "/parts/0/checksum/algorithm",
        ),
    ] {
        let text = body.to_string();
        let (found, detail) = first_error(scene.ask(&session, body).await);
        assert_eq!(found, pointer, "{text}: {detail}");
    }
}
