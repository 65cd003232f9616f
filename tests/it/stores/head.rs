//! Stores that refuse a HEAD that asks for checksums.

use reqwest::StatusCode;
use serde_json::json;

use super::{bent, curious, is_tried, known};
use crate::support::bent::{Answer, Asked, Bend};
use crate::support::observe::eventually;

const SHA256: &str = "SHA256";
/// Of `bytes`.
const VALUE: &str = "J3CJ2RwL308uaGK6fkoHYFEZQx9dE/cm3TUrBvGyBqk=";

fn asks_for_checksums(asked: &Asked) -> bool {
    asked.method == "HEAD" && asked.has("x-amz-checksum-mode")
}

#[tokio::test]
async fn a_head_refused_for_its_checksum_mode_is_sent_once_without_and_proves_the_size() {
    for status in [400, 405, 501] {
        let store = bent().await;
        // Other than at the try-out, so that the proof itself finds out.
        store.bend(move |asked| {
            let refused = asks_for_checksums(asked) && !is_tried(asked);
            refused.then(|| Bend::Instead(Answer::error(status, "InvalidArgument")))
        });
        let app = curious().s3(store.endpoint()).start().await;
        assert_eq!(known(&app).await["head_checksums"], "yes");
        let declared = json!({"size": 5, "checksum": {"algorithm": SHA256, "value": VALUE}});
        for path in ["a.csv", "b.csv"] {
            let session = app.create(path, declared.clone()).await;
            app.put(&session, "bytes").await.expect_ok();
            let proven = app.acknowledge(&session).await.expect(StatusCode::OK);
            assert_eq!(proven["verification"]["level"], "size", "{proven:#}");
            assert_eq!(proven["object"]["checksum"], json!(null), "{proven:#}");
        }
        let refused = store.count(|asked| asks_for_checksums(asked) && !is_tried(asked));
        assert_eq!(refused, 1, "{status}: it is remembered");
        // The answer of /readyz is believed for a second.
        eventually("that is known", async || {
            known(&app).await["head_checksums"] == "no"
        })
        .await;
    }
}

#[tokio::test]
async fn a_try_out_finds_that_out_before_anybody_asks() {
    let store = bent().await;
    store.bend(|asked| {
        asks_for_checksums(asked).then(|| Bend::Instead(Answer::error(400, "InvalidArgument")))
    });
    let app = curious().s3(store.endpoint()).start().await;
    assert_eq!(known(&app).await["head_checksums"], "no");
    app.upload("a.csv", "bytes", json!({"size": 5})).await;
    let asked = store.count(|asked| asks_for_checksums(asked) && !is_tried(asked));
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn a_head_that_is_refused_either_way_is_no_missing_object() {
    let store = bent().await;
    let app = curious().s3(store.endpoint()).start().await;
    known(&app).await;
    let session = app.create("a.csv", json!({})).await;
    store.bend(|asked| {
        (asked.method == "HEAD").then(|| Bend::Instead(Answer::error(400, "ExpiredToken")))
    });
    let refused = app.acknowledge(&session).await;
    refused.expect_problem(503, "service-unavailable");
    assert_eq!(app.read(&session).await["status"], "Pending");
    store.bend(|_| None);
    assert_eq!(known(&app).await["head_checksums"], "yes");
}
