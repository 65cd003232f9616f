//! What the audit records of callers with JWTs and upload tokens, and what it shows to them.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::jwt::{jwt_caller, setup};
use super::tokens::issue_token;
use crate::audit::rows_of_action;

fn members<'a>(rows: &'a [Value], name: &str) -> Vec<&'a str> {
    let member = |row: &'a Value| row[name].as_str().unwrap_or_default();
    rows.iter().map(member).collect()
}

#[tokio::test]
async fn jwt_and_token_callers_are_recorded_by_name_without_their_token() {
    let app = setup().start().await;
    let ada = jwt_caller(&app, json!({}));
    ada.create("/in/a").await;
    let page = issue_token(&app, json!({"prefix": "/in/", "max_uploads": 2})).await;
    page.create("/in/b").await;
    let made = rows_of_action(&app, "token.created", 1).await;
    let token = made[0]["subject"].as_str().expect("the token's name");
    assert_eq!(made[0]["path"], "/in/", "{made:#?}");
    assert!(made[0]["expires_at"].is_string(), "{made:#?}");
    assert!(members(&made, "actor")[0].starts_with("key:"), "{made:#?}");
    let created = rows_of_action(&app, "upload.created", 2).await;
    let actors = members(&created, "actor");
    assert!(actors.contains(&"jwt:ada"), "{created:#?}");
    let is_linked = token.starts_with("token:") && actors.contains(&token);
    assert!(is_linked, "{token} in {created:#?}");
    let all = app.get("/audit").await.expect_ok().body;
    assert!(!all.contains("ubt_") && !all.contains("eyJ"), "{all}");
}

#[tokio::test]
async fn caller_with_path_prefix_sees_audit_rows_of_its_folder_only() {
    let app = setup().start().await;
    for path in ["/in/a", "/out/b", "/inbox/c"] {
        app.create(path, json!({})).await;
    }
    rows_of_action(&app, "upload.created", 3).await;
    let changes = json!({"scope": "admin", "path_prefix": "/in/"});
    let ada = jwt_caller(&app, changes);
    for query in ["", "?prefix=/", "?prefix=/out/", "?action=upload.created"] {
        let shown = ada
            .get(&format!("/audit{query}"))
            .await
            .expect(StatusCode::OK);
        let shown = shown.as_array().expect("an array");
        let outside = members(shown, "path")
            .into_iter()
            .find(|path| !path.starts_with("/in/"));
        assert_eq!(outside, None, "{query}: {shown:#?}");
        let expected = usize::from(!query.contains("/out/"));
        assert_eq!(shown.len(), expected, "{query}: {shown:#?}");
    }
}
