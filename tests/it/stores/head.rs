//! Stores that reject a HEAD request that asks for checksums.

use reqwest::StatusCode;
use serde_json::json;

use super::{changeable_store, is_probe, known_abilities, setup_with_detection};
use crate::support::observe::eventually;
use crate::support::rewriting_proxy::{ProxiedRequest, ProxiedResponse, Rewrite};

const SHA256: &str = "SHA256";
/// The SHA-256 of `bytes`.
const VALUE: &str = "J3CJ2RwL308uaGK6fkoHYFEZQx9dE/cm3TUrBvGyBqk=";

fn asks_for_checksums(asked: &ProxiedRequest) -> bool {
    asked.method == "HEAD" && asked.has("x-amz-checksum-mode")
}

#[tokio::test]
async fn head_rejected_for_checksum_mode_is_repeated_without_it() {
    for status in [400, 405, 501] {
        let store = changeable_store().await;
        // The probe gets other answers, so that the proof itself has to find out.
        store.set_rule(move |asked| {
            let refused = asks_for_checksums(asked) && !is_probe(asked);
            refused.then(|| Rewrite::Replace(ProxiedResponse::error(status, "InvalidArgument")))
        });
        let app = setup_with_detection().s3(store.endpoint()).start().await;
        assert_eq!(known_abilities(&app).await["head_checksums"], "yes");
        let declared = json!({"size": 5, "checksum": {"algorithm": SHA256, "value": VALUE}});
        for path in ["a.csv", "b.csv"] {
            let session = app.create(path, declared.clone()).await;
            app.put(&session, "bytes").await.expect_ok();
            let proven = app.acknowledge(&session).await.expect(StatusCode::OK);
            assert_eq!(proven["verification"]["level"], "size", "{proven:#}");
            assert_eq!(proven["object"]["checksum"], json!(null), "{proven:#}");
        }
        let refused = store.count(|asked| asks_for_checksums(asked) && !is_probe(asked));
        assert_eq!(refused, 1, "{status}: it is remembered");
        // The answer of `/readyz` is cached for a second.
        eventually("that is known", async || {
            known_abilities(&app).await["head_checksums"] == "no"
        })
        .await;
    }
}

#[tokio::test]
async fn probe_detects_that_head_with_checksum_mode_is_rejected() {
    let store = changeable_store().await;
    store.set_rule(|asked| {
        asks_for_checksums(asked)
            .then(|| Rewrite::Replace(ProxiedResponse::error(400, "InvalidArgument")))
    });
    let app = setup_with_detection().s3(store.endpoint()).start().await;
    assert_eq!(known_abilities(&app).await["head_checksums"], "no");
    app.upload("a.csv", "bytes", json!({"size": 5})).await;
    let asked = store.count(|asked| asks_for_checksums(asked) && !is_probe(asked));
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn head_rejected_in_both_forms_is_an_error_and_no_missing_object() {
    let store = changeable_store().await;
    let app = setup_with_detection().s3(store.endpoint()).start().await;
    known_abilities(&app).await;
    let session = app.create("a.csv", json!({})).await;
    store.set_rule(|asked| {
        (asked.method == "HEAD")
            .then(|| Rewrite::Replace(ProxiedResponse::error(400, "ExpiredToken")))
    });
    let refused = app.acknowledge(&session).await;
    refused.expect_problem(503, "service-unavailable");
    assert_eq!(app.read(&session).await["status"], "Pending");
    store.set_rule(|_| None);
    assert_eq!(known_abilities(&app).await["head_checksums"], "yes");
}
