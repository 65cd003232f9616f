//! `GET /uploads/{id}?refresh_urls=true`.

use aws_credential_types::Credentials;
use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use crate::credentials::provider::Provider;
use crate::support::app::{App, Setup, id, now};
use crate::support::cloud;
use crate::support::observe::eventually;
use crate::support::reply::Reply;

async fn refresh(app: &App, session: &Value) -> Value {
    let path = format!("/uploads/{}?refresh_urls=true", id(session));
    app.get(&path).await.expect(StatusCode::OK)
}

#[tokio::test]
async fn refreshed_url_works_after_the_first_one_has_expired() {
    // The store's clock is the real time, so that a 15-minute URL from an hour ago has already
    // expired.
    let hour = TimeDelta::hours(1);
    let app = Setup::new().clock_at(now() - hour).start().await;
    let session = app.create("/a.csv", json!({"size": 3})).await;
    let refused = app.put(&session, "abc").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{refused:#?}");

    app.advance(hour);
    let fresh = refresh(&app, &session).await;
    assert_eq!(fresh["id"], session["id"]);
    assert_eq!(fresh["status"], "Pending", "{fresh:#}");
    assert_ne!(fresh["upload"]["url"], session["upload"]["url"]);
    assert_eq!(fresh["upload"]["headers"], session["upload"]["headers"]);
    assert!(
        fresh["expires_at"].as_str() > session["expires_at"].as_str(),
        "the deadline moves along: {fresh:#}"
    );
    assert_eq!(app.read(&session).await["expires_at"], fresh["expires_at"]);
    app.put(&fresh, "abc").await.expect_ok();
    let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(uploaded["status"], "Uploaded", "{uploaded:#}");
}

#[tokio::test]
async fn refresh_never_shortens_the_deadline() {
    let app = App::start().await;
    let session = app.create("/a.csv", json!({"expires_in": 3600})).await;
    app.advance(TimeDelta::seconds(-600));
    let fresh = refresh(&app, &session).await;
    assert_eq!(
        fresh["expires_at"], session["expires_at"],
        "the first URL lives on"
    );
    assert!(
        fresh["upload"]["expires_at"].as_str() < fresh["expires_at"].as_str(),
        "this URL ends earlier: {fresh:#}"
    );
}

/// While new credentials are being fetched, the broker's only database connection is free.
#[tokio::test]
async fn refresh_holds_no_database_connection_while_fetching_credentials() {
    let start = now();
    let until = |hours| {
        let end = (start + TimeDelta::hours(hours)).into();
        let (id, secret) = (cloud::ACCESS_KEY_ID, cloud::SECRET_ACCESS_KEY);
        Ok(Credentials::new(id, secret, None, Some(end), "test"))
    };
    let provider = Provider::new([until(1), until(2)]);
    let app = Setup::new()
        .clock_at(start)
        .credentials(provider.clone())
        .set("BROKER_DB_POOL_SIZE", 1)
        .start()
        .await;
    let session = app.create("/a.csv", json!({"expires_in": 7200})).await;
    assert_eq!(provider.calls(), 1);
    let provider = provider.holding();
    app.advance(TimeDelta::seconds(3_000));
    let others = async {
        eventually("the provider is asked", async || provider.calls() == 2).await;
        app.read(&session).await;
        provider.release();
    };
    let (fresh, ()) = tokio::join!(refresh(&app, &session), others);
    assert!(fresh["upload"]["url"].is_string(), "{fresh:#}");
}

#[tokio::test]
async fn refresh_returns_a_url_for_pending_uploads_only() {
    let app = App::start().await;
    let uploaded = app.upload("/a.csv", "x", json!({})).await;
    assert_eq!(refresh(&app, &uploaded).await["upload"], Value::Null);
    let cancelled = app.create("/b.csv", json!({})).await;
    let cancel = format!("/uploads/{}/cancel", id(&cancelled));
    app.post_empty(&cancel).await.expect(StatusCode::OK);
    assert_eq!(refresh(&app, &cancelled).await["upload"], Value::Null);

    let pending = app.create("/c.csv", json!({})).await;
    let path = format!("/uploads/{}?refresh_urls=false", id(&pending));
    let read = app.get(&path).await.expect(StatusCode::OK);
    assert_eq!(read["upload"], Value::Null, "{read:#}");
}

#[tokio::test]
async fn refresh_requires_the_write_scope() {
    let app = App::start().await;
    let session = app.create("/a.csv", json!({})).await;
    let (_, reader) = app.issue_key("default", &[Scope::UploadsRead], None).await;
    let get = |path: String| {
        let request = app.request(Method::GET, &path);
        // A second Authorization header would make the request invalid.
        let request = request.build().expect("a request");
        app.http.get(request.url().clone()).bearer_auth(&reader)
    };
    let path = format!("/uploads/{}", id(&session));
    Reply::of(get(path.clone())).await.expect(StatusCode::OK);
    Reply::of(get(format!("{path}?refresh_urls=true")))
        .await
        .expect_problem(403, "insufficient-scope");
}
