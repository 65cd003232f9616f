//! The parts of an upload without a size are summed and compared with the limits before they get
//! URLs.

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::Scene;
use crate::support::app::{Setup, id};
use crate::support::reply::Reply;

const MIB: u64 = 1 << 20;

fn parts(sizes: &[(u32, u64)]) -> Value {
    let parts = sizes
        .iter()
        .map(|(number, size)| json!({"part_number": number, "size": size}));
    json!({"parts": parts.collect::<Vec<_>>()})
}

async fn limited_to(bytes: u64) -> (Scene, Value) {
    let scene = Scene::with(Setup::new().set("BROKER_MAX_SIZE_BYTES", bytes)).await;
    let session = scene.app.create("a.bin", json!({"multipart": true})).await;
    (scene, session)
}

#[tokio::test]
async fn parts_without_total_size_are_rejected_beyond_the_size_limit() {
    let (scene, session) = limited_to(6 * MIB).await;
    let ask = async |sizes: &[(u32, u64)]| scene.ask(&session, parts(sizes)).await;
    ask(&[(1, 5 * MIB)]).await.expect(StatusCode::OK);
    for number in 2..=5 {
        let refused = ask(&[(number, 5 * MIB)]).await;
        let problem = refused.expect_problem(422, "size-limit-exceeded");
        assert_eq!(problem["errors"][0]["pointer"], "/parts", "{problem:#}");
        assert!(!problem.to_string().contains("X-Amz-"), "{problem:#}");
    }
    // A part that is asked for again counts once, with the larger of its sizes.
    ask(&[(1, 5 * MIB)]).await.expect(StatusCode::OK);
    ask(&[(1, MIB)]).await.expect(StatusCode::OK);
    ask(&[(2, MIB + 1)])
        .await
        .expect_problem(422, "size-limit-exceeded");
    // A rejected request counts for nothing, not even the part of it that fits.
    ask(&[(2, MIB), (3, 1)])
        .await
        .expect_problem(422, "size-limit-exceeded");
    ask(&[(3, MIB)]).await.expect(StatusCode::OK);
    ask(&[(2, 1)])
        .await
        .expect_problem(422, "size-limit-exceeded");
    ask(&[(1, 5 * MIB), (3, MIB)]).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn concurrent_part_requests_are_granted_only_up_to_the_size_limit() {
    let (scene, session) = limited_to(6 * MIB).await;
    let asks = (1..=12).map(|number| scene.ask(&session, parts(&[(number, MIB)])));
    let replies = join_all(asks).await;
    let (granted, refused): (Vec<Reply>, Vec<Reply>) =
        (replies.into_iter()).partition(|reply| reply.status == StatusCode::OK);
    assert_eq!(granted.len(), 6, "{refused:#?}");
    for reply in refused {
        reply.expect_problem(422, "size-limit-exceeded");
    }
}

/// The bytes of such an upload could not be counted against the token.
#[tokio::test]
async fn token_with_byte_limit_gets_no_parts_of_upload_without_size() {
    let (scene, session) = limited_to(6 * MIB).await;
    let asked = json!({"scopes": ["uploads:write"], "max_bytes": 10});
    let token = scene.app.post("/tokens", asked).await;
    let token = token.expect(StatusCode::CREATED);
    let token = token["token"].as_str().expect("a token");
    let path = format!("{}/uploads/{}/parts", scene.app.url, id(&session));
    let ask = async || {
        let ask = scene.app.http.post(&path).json(&parts(&[(1, 5)]));
        Reply::of(ask.bearer_auth(token)).await
    };
    // The upload may become larger than everything that the token allows.
    ask().await.expect_problem(422, "size-limit-exceeded");
    // The same holds where the upload has a smaller limit, such as that of the credential that
    // created it.
    let sql = scene.app.sql().await;
    let bound = sql.execute("UPDATE uploads SET max_size = 5", &[]).await;
    assert_eq!(bound.expect("an update"), 1);
    let problem = ask().await.expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/parts", "{problem:#}");
}
