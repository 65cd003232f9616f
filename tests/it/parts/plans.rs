//! How many parts a session has, and where each of them begins and ends.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::{MIN, Scene};
use crate::support::app::Setup;

fn number(part: &Value, name: &str) -> u64 {
    part[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} of {part:#}"))
}

/// Asserts that the parts are consecutive and that each has its own URL. Returns the end of the
/// last one.
#[track_caller]
fn assert_consecutive(parts: &[Value], first: u64, offset: u64) -> u64 {
    let mut urls: Vec<_> = parts.iter().map(|part| part["url"].as_str()).collect();
    urls.sort_unstable();
    urls.dedup();
    assert_eq!(urls.len(), parts.len(), "a URL came twice");
    let mut end = offset;
    for (part, expected) in parts.iter().zip(first..) {
        assert_eq!(number(part, "part_number"), expected, "{part:#}");
        assert_eq!(number(part, "offset"), end, "{part:#}");
        end += number(part, "size");
    }
    end
}

#[tokio::test]
async fn multipart_is_chosen_by_threshold_unless_the_client_decides() {
    let setup = Setup::new().set("BROKER_MULTIPART_THRESHOLD_BYTES", 10);
    let scene = Scene::with(setup).await;
    for (more, parts) in [
        (json!({"size": 10}), None),
        (json!({}), None),
        (json!({"size": 11, "multipart": false}), None),
        (json!({"size": 11}), Some(json!(1))),
        (json!({"size": 0, "multipart": true}), Some(json!(1))),
        (json!({"size": 1, "part_size": MIN}), Some(json!(1))),
        (
            json!({"size": 1, "part_checksums": "CRC32"}),
            Some(json!(1)),
        ),
        (json!({"multipart": true}), Some(Value::Null)),
        (json!({"part_size": MIN}), Some(Value::Null)),
    ] {
        let session = scene.app.create("a.bin", more.clone()).await;
        let context = format!("{more}: {session:#}");
        let multipart = &session["multipart"];
        assert_eq!(multipart.is_null(), parts.is_none(), "{context}");
        assert_eq!(session["upload"].is_null(), parts.is_some(), "{context}");
        if let Some(parts) = parts {
            assert_eq!(multipart["part_count"], parts, "{context}");
        }
    }
    assert_eq!(scene.open().await.len(), 6);
}

#[tokio::test]
async fn session_contains_first_hundred_parts_and_link_to_the_next() {
    let scene = Scene::new().await;
    let size = 249 * MIN + 1;
    let session = scene.begin("a.bin", size, json!({})).await;
    let parts = Scene::parts(&session);
    assert_eq!(parts.len(), 100);
    let mut end = assert_consecutive(parts, 1, 0);
    let next = session["multipart"]["next"].as_str().expect("more parts");
    let ask = async |path: &str| {
        let answer = scene.app.post_empty(path).await.expect(StatusCode::OK);
        answer["parts"].as_array().expect("parts").clone()
    };
    let more = ask(next).await;
    assert_eq!(more.len(), 100, "as many as came with the session");
    end = assert_consecutive(&more, 101, end);
    let last = ask(&next.replace("from=101", "from=201")).await;
    assert_eq!(assert_consecutive(&last, 201, end), size as u64);
    assert_eq!(last.len(), 50);
    let at_once = scene
        .asked(&session, json!({"from": 101, "count": 150}))
        .await;
    assert_eq!(
        assert_consecutive(&at_once, 101, 100 * MIN as u64),
        size as u64
    );
    // Parts are returned in the order in which they are asked for.
    let some = scene
        .asked(&session, json!({"part_numbers": [250, 3]}))
        .await;
    assert_eq!(number(&some[0], "part_number"), 250);
    assert_eq!(number(&some[0], "size"), 1);
    assert_eq!(number(&some[1], "offset"), 2 * MIN as u64);
}

#[tokio::test]
async fn ten_thousand_parts_are_signed_in_one_request() {
    let scene = Scene::new().await;
    let size = 10_000 * MIN - 3;
    let session = scene.begin("a.bin", size, json!({})).await;
    assert_eq!(session["multipart"]["part_count"], 10_000);
    let parts = scene
        .asked(&session, json!({"from": 1, "count": 10_000}))
        .await;
    assert_eq!(parts.len(), 10_000);
    assert_eq!(assert_consecutive(&parts, 1, 0), size as u64);
    let numbers: Vec<u32> = (1..=10_000).rev().collect();
    let by_number = scene
        .asked(&session, json!({"part_numbers": numbers}))
        .await;
    assert_eq!(by_number[0]["offset"], parts[9_999]["offset"]);
    scene.send(&parts[0], vec![1; MIN]).await.expect_ok();
    scene
        .send(&by_number[0], vec![2; MIN - 3])
        .await
        .expect_ok();
    let other = scene.send(&parts[4_999], vec![3; 10]).await;
    assert_eq!(
        other.status,
        StatusCode::FORBIDDEN,
        "another size: {other:#?}"
    );
    let listed = scene.listed(&session).await;
    assert_eq!(listed["missing"], json!([[2, 9_999]]), "{listed:#}");
    let reply = scene.app.acknowledge(&session).await;
    let problem = reply.expect_problem(409, "parts-missing");
    assert_eq!(problem["missing"], json!([[2, 9_999]]), "{problem:#}");
}

#[tokio::test]
async fn largest_s3_object_is_planned_in_ten_thousand_parts() {
    let scene = Scene::new().await;
    let gib5 = 5_u64 << 30;
    let size = 10_000 * gib5;
    for more in [json!({"part_size": gib5}), json!({})] {
        let mut body = json!({"size": size});
        let more = more.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(more);
        let session = scene.app.create("a.bin", body).await;
        let multipart = &session["multipart"];
        assert_eq!(multipart["part_size"], gib5, "{multipart:#}");
        assert_eq!(multipart["part_count"], 10_000);
        let last = scene.asked(&session, json!({"from": 10_000})).await;
        assert_eq!(number(&last[0], "offset") + number(&last[0], "size"), size);
    }
}

#[tokio::test]
async fn object_in_parts_has_declared_headers_tags_and_upload_id() {
    let scene = Scene::new().await;
    let more = json!({
        "content_type": "text/csv", "tags": {"team": "hr @ co", "k": "ä"}, "metadata": {"a": "b"},
        "cache_control": "no-store", "content_encoding": "gzip", "content_language": "de",
        "storage_class": "STANDARD_IA",
        "content_disposition": "attachment; filename=\"a.csv\"",
    });
    let session = scene.sent("data/größe 1.csv", "abc", more).await;
    let upload = scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(upload["metadata"], json!({"a": "b"}), "{upload:#}");
    let head = scene
        .app
        .bucket
        .head("data/größe 1.csv")
        .await
        .expect("an object");
    assert_eq!(head.content_type(), Some("text/csv"));
    assert_eq!(head.cache_control(), Some("no-store"));
    assert_eq!(head.content_encoding(), Some("gzip"));
    assert_eq!(head.content_language(), Some("de"));
    let class = head.storage_class().map(|class| class.as_str());
    assert_eq!(class, Some("STANDARD_IA"));
    let disposition = head.content_disposition();
    assert_eq!(disposition, Some("attachment; filename=\"a.csv\""));
    assert_eq!(
        head.metadata().expect("metadata")["upload-id"],
        session["id"]
    );
    let bucket = &scene.app.bucket;
    let tags = bucket.client.get_object_tagging().bucket(&bucket.name);
    let tags = tags.key("data/größe 1.csv").send().await.expect("tags");
    let mut tags: Vec<_> = (tags.tag_set().iter())
        .map(|tag| (tag.key(), tag.value()))
        .collect();
    tags.sort_unstable();
    assert_eq!(tags, [("k", "ä"), ("team", "hr @ co")]);
}
