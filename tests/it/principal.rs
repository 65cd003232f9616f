//! What a credential may do, as the broker reports it, and what the tenant uses.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use crate::support::app::{App, Setup};
use crate::support::reply::Reply;
use crate::support::serving::Caller;

async fn get(caller: &Caller, path: &str) -> Reply {
    Reply::of(caller.request(Method::GET, path)).await
}

async fn issue_token(app: &App, body: Value) -> Caller {
    let token = app.post("/tokens", body).await.expect(StatusCode::CREATED);
    Caller::new(
        app.url.clone(),
        token["token"].as_str().expect("a token").to_owned(),
    )
}

#[tokio::test]
async fn principal_of_key_names_tenant_scopes_and_limits_of_the_installation() {
    let app = Setup::new()
        .set("BROKER_MAX_SIZE_BYTES", "5000")
        .set("BROKER_ALLOWED_CONTENT_TYPES", "text/csv,image/*")
        .start()
        .await;
    let scopes = [Scope::UploadsRead, Scope::DatasetsRead];
    let (_, key) = app.issue_key("default", &scopes, None).await;
    let caller = Caller::new(app.url.clone(), key);
    let principal = get(&caller, "/principal").await.expect(StatusCode::OK);
    assert_eq!(
        principal,
        json!({
            "tenant": "default", "credential": "key", "scopes": ["uploads:read", "datasets:read"],
            "prefix": "/", "max_size": 5000, "content_types": ["text/csv", "image/*"],
            "multipart_threshold": 104_857_600, "expires_at": null,
        })
    );
    get(&caller, "/usage")
        .await
        .expect_problem(403, "insufficient-scope");
    let anonymous = Reply::of(app.http.get(format!("{}/principal", app.url))).await;
    anonymous.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn principal_of_upload_token_names_its_folder_its_bytes_and_its_end() {
    let app = App::start().await;
    let body = json!({"prefix": "/in/", "expires_in": 600, "max_bytes": 700});
    let confined = issue_token(&app, body).await;
    let principal = get(&confined, "/principal").await.expect(StatusCode::OK);
    assert_eq!(principal["credential"], "upload-token", "{principal:#}");
    assert_eq!(principal["scopes"], json!(["uploads:write"]));
    assert_eq!(principal["prefix"], "/in/");
    assert_eq!(principal["max_size"], 700);
    assert!(principal["expires_at"].is_string(), "{principal:#}");
}

#[tokio::test]
async fn principal_without_authentication_has_all_scopes() {
    let app = Setup::new().set("BROKER_AUTH", "off").start().await;
    let anyone = Reply::of(app.http.get(format!("{}/principal", app.url))).await;
    let anyone = anyone.expect(StatusCode::OK);
    assert_eq!(anyone["credential"], "none", "{anyone:#}");
    let scopes = anyone["scopes"].as_array().expect("an array");
    assert!(scopes.contains(&json!("admin")), "{anyone:#}");
}

#[tokio::test]
async fn usage_is_null_while_the_tenant_has_no_quota() {
    let app = App::start().await;
    let without = app.get("/usage").await.expect(StatusCode::OK);
    assert_eq!(
        without,
        json!({
            "tenant": "default", "bytes": null, "open_uploads": null,
            "quota_bytes": null, "quota_open_uploads": null,
        })
    );
}
