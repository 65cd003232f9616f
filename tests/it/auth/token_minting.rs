//! Which callers may issue which upload tokens.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde_json::json;
use upload_broker::domain::principal::Scope;

use super::tokens::{create, request_token};
use crate::support::app::App;
use crate::support::serving::Caller;

#[tokio::test]
async fn token_cannot_exceed_scopes_prefix_limits_or_life_of_its_issuer() {
    let app = App::start().await;
    let scopes = [Scope::UploadsWrite, Scope::UploadsRead];
    let (_, key) = app.issue_key("acme", &scopes, None).await;
    for scope in ["datasets:read", "datasets:delete", "admin"] {
        let reply = request_token(&app, &key, json!({"scopes": ["uploads:read", scope]})).await;
        reply.expect_problem(403, "insufficient-scope");
    }
    let body = json!({"prefix": "/in/", "max_uploads": 3, "max_bytes": 100, "expires_in": 600});
    let token = request_token(&app, &key, body)
        .await
        .expect(StatusCode::CREATED);
    let ends: DateTime<Utc> = token["expires_at"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    let token = token["token"].as_str().expect("a token");
    for (wider, pointer) in [
        (json!({"prefix": "/"}), "/prefix"),
        (json!({"prefix": "/inbox/"}), "/prefix"),
        (json!({"prefix": "/out/in/"}), "/prefix"),
        (json!({"max_uploads": 4}), "/max_uploads"),
        (json!({"max_bytes": 101}), "/max_bytes"),
    ] {
        let problem = request_token(&app, token, wider.clone()).await;
        let problem = problem.expect_problem(403, "token-too-wide");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{wider}: {problem:#}"
        );
    }
    let reply = request_token(&app, token, json!({"scopes": ["uploads:read"]})).await;
    reply.expect_problem(403, "insufficient-scope");
    // A child expires with its parent at the latest, and the answer says when.
    let child = request_token(&app, token, json!({"expires_in": 86_400})).await;
    let child = child.expect(StatusCode::CREATED);
    let child_ends: DateTime<Utc> = child["expires_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(child_ends, ends, "{child:#}");
    // A child inherits the limits that the request leaves out.
    let child = Caller::new(app.url.clone(), child["token"].as_str().unwrap().to_owned());
    create(&child, json!({"path": "/out.csv", "size": 1}))
        .await
        .expect_problem(403, "outside-prefix");
    create(&child, json!({"path": "/in/a.csv", "size": 101}))
        .await
        .expect_problem(422, "size-limit-exceeded");
    let made = create(&child, json!({"path": "/in/a.csv", "size": 9})).await;
    let made = made.expect(StatusCode::CREATED);
    assert!(
        made["s3_url"].as_str().unwrap().ends_with("/acme/in/a.csv"),
        "{made:#}"
    );
}

#[tokio::test]
async fn invalid_token_request_is_rejected_with_pointer() {
    let app = App::start().await;
    for (body, pointer) in [
        (json!({"prefix": "/../"}), "/prefix"),
        (json!({"prefix": "//"}), "/prefix"),
        (json!({"prefix": 7}), "/prefix"),
        (json!({"scopes": []}), "/scopes"),
        (json!({"scopes": ["admin"]}), "/scopes"),
        (json!({"scopes": ["uploads:write", "fly"]}), "/scopes/1"),
        (json!({"expires_in": 0}), "/expires_in"),
        (json!({"expires_in": 86_401}), "/expires_in"),
        (json!({"max_uploads": 0}), "/max_uploads"),
        (json!({"max_uploads": -1}), "/max_uploads"),
        (json!({"max_bytes": 0}), "/max_bytes"),
        (json!({"max_bytes": 1e30}), "/max_bytes"),
        (json!({"tenant": "acme"}), "/tenant"),
    ] {
        let problem = request_token(&app, &app.key, body.clone()).await;
        let problem = problem.expect_problem(422, "invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{body}: {problem:#}"
        );
    }
    // A request without a body is valid.
    let made = app.post_empty("/tokens").await;
    assert_eq!(made.header("cache-control"), Some("no-store"));
    made.expect(StatusCode::CREATED);
}
