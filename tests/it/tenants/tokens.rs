//! The quota of a tenant and the allowance of an upload token apply independently.

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::{Scene, quota};
use crate::auth::tokens::create;
use crate::support::serving::Caller;

/// The number of answers with this status and, for rejections, this code.
fn count(replies: &[(u16, Value)], status: u16, code: Option<&str>) -> usize {
    let is = |(found, body): &&(u16, Value)| *found == status && body["code"].as_str() == code;
    replies.iter().filter(is).count()
}

async fn create_many(page: &Caller, start: &str, many: usize) -> Vec<(u16, Value)> {
    let asked = (0..many).map(|at| create(page, json!({"path": format!("/{start}-{at}")})));
    let replies = join_all(asked).await;
    let read = |text: &str| serde_json::from_str(text).expect("JSON");
    (replies.iter())
        .map(|reply| (reply.status.as_u16(), read(&reply.body)))
        .collect()
}

#[tokio::test]
async fn create_rejected_by_quota_uses_up_no_token() {
    let scene = Scene::new(quota(None, Some(5))).await;
    let made = scene.post("/tokens", json!({"max_uploads": 8})).await;
    let made = made.expect(StatusCode::CREATED);
    let token = made["token"].as_str().expect("a token").to_owned();
    let page = Caller::new(scene.app.url.clone(), token);
    let first = create_many(&page, "a", 20).await;
    assert_eq!(count(&first, 201, None), 5, "{first:#?}");
    assert_eq!(count(&first, 409, Some("quota-exceeded")), 15, "{first:#?}");
    assert_eq!(scene.used().await, (0, 5));
    // The quota gets room again, but the uses of the token do not come back.
    for (_, session) in first.iter().filter(|(status, _)| *status == 201) {
        scene.cancel(session).await;
    }
    let then = create_many(&page, "b", 20).await;
    assert_eq!(count(&then, 201, None), 3, "{then:#?}");
    assert_eq!(count(&then, 403, Some("token-spent")), 17, "{then:#?}");
    assert_eq!(scene.used().await, (0, 3));
}
