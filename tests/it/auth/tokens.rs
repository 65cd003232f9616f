//! Upload tokens: what a token gives access to, how it is sent, and when it expires.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;
use upload_broker::usecases::identity::keys;

use crate::support::app::{App, Setup, id};
use crate::support::observe::eventually;
use crate::support::raw;
use crate::support::reply::Reply;
use crate::support::serving::Caller;

/// Requests an upload token with the given credential.
pub async fn request_token(app: &App, key: &str, body: Value) -> Reply {
    let caller = Caller::new(app.url.clone(), key.to_owned());
    Reply::of(caller.request(Method::POST, "/tokens").json(&body)).await
}

/// Issues an upload token with the app's own key, and returns a caller who uses it.
pub async fn issue_token(app: &App, body: Value) -> Caller {
    let made = request_token(app, &app.key, body)
        .await
        .expect(StatusCode::CREATED);
    let token = made["token"].as_str().expect("a token");
    Caller::new(app.url.clone(), token.to_owned())
}

pub async fn create(caller: &Caller, body: Value) -> Reply {
    Reply::of(caller.request(Method::POST, "/uploads").json(&body)).await
}

#[tokio::test]
async fn token_in_header_or_path_permits_uploads_below_its_prefix() {
    let app = App::start().await;
    let body = json!({"prefix": "/in/", "scopes": ["uploads:write"], "expires_in": 60});
    let page = issue_token(&app, body).await;
    let upload = page.upload("/in/a.csv", "x").await;
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    create(&page, json!({"path": "/a.csv"}))
        .await
        .expect_problem(403, "outside-prefix");
    page.get("/uploads")
        .await
        .expect_problem(403, "insufficient-scope");

    // The same without a header: every path in an answer can be used as it is.
    let start = format!("/t/{}", page.key);
    let url = |path: &str| format!("{}{path}", app.url);
    let body = json!({"path": "/in/b.csv", "size": 600_000_000, "part_size": 5 << 20});
    let post = app.http.post(url(&format!("{start}/uploads"))).json(&body);
    let reply = Reply::of(post).await;
    let location = reply.header("location").expect("a location").to_owned();
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    let session = reply.expect(StatusCode::CREATED);
    assert_eq!(location, format!("{start}/uploads/{}", id(&session)));
    let next = session["multipart"]["next"].as_str().expect("more parts");
    assert!(next.starts_with(&start), "{next}");
    let parts = Reply::of(app.http.post(url(next)))
        .await
        .expect(StatusCode::OK);
    assert_eq!(parts["parts"][0]["part_number"], 101, "{parts:#}");
    let cancel = app.http.post(url(&format!("{location}/cancel")));
    Reply::of(cancel).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn next_page_link_keeps_token_in_path() {
    let app = App::start().await;
    let body = json!({"scopes": ["uploads:read", "datasets:read"]});
    let page = issue_token(&app, body).await;
    for path in ["/a", "/b"] {
        app.upload(path, "x", json!({})).await;
    }
    for list in ["/uploads", "/datasets"] {
        let start = format!("/t/{}{list}?", page.key);
        let first = format!("{}{start}limit=1", app.url);
        let reply = Reply::of(app.http.get(first)).await;
        let link = reply.header("link").expect("a next page");
        let next = link
            .trim_start_matches('<')
            .split('>')
            .next()
            .expect("a path");
        assert!(next.starts_with(&start), "{next}");
        let rest = Reply::of(app.http.get(format!("{}{next}", app.url))).await;
        let rest = rest.expect(StatusCode::OK);
        assert_eq!(rest.as_array().map(Vec::len), Some(1), "{rest:#}");
    }
    // With the token in the header, the link has no token.
    let reply = page.get("/uploads?limit=1").await;
    let link = reply.header("link").expect("a next page");
    assert!(link.starts_with("</uploads?"), "{link}");
}

#[tokio::test]
async fn path_accepts_upload_tokens_only_and_no_answer_repeats_them() {
    let app = App::start().await;
    let page = issue_token(&app, json!({"prefix": "/in/"})).await;
    let get = |path: String| Reply::of(app.http.get(format!("{}{path}", app.url)));
    for other in [&*app.key, "ubt_nonsense", "", "a.b.c", "%20"] {
        let reply = get(format!("/t/{other}/uploads")).await;
        let problem = reply.expect_problem(401, "unauthenticated");
        assert_eq!(problem["instance"], "/uploads", "{problem:#}");
    }
    // A key in the header does not help a bad token in the path.
    let request = app.request(Method::GET, "/t/ubt_nonsense/uploads");
    Reply::of(request)
        .await
        .expect_problem(401, "unauthenticated");
    for (path, status, code) in [
        ("/uploads", 403, "insufficient-scope"),
        ("/nowhere", 404, "not-found"),
        ("/t/x/uploads", 404, "not-found"),
        ("/datasets/a%00b", 403, "insufficient-scope"),
    ] {
        let reply = get(format!("/t/{}{path}", page.key)).await;
        assert!(!format!("{reply:?}").contains(&page.key), "{reply:#?}");
        reply.expect_problem(status, code);
    }
    get(format!("/t/{}/heartbeat", page.key))
        .await
        .expect(StatusCode::OK);
    let broken = format!(
        "GET /t/{}/uploads?a=%zz HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n",
        page.key
    );
    let reply = raw::send(&app, broken).await;
    assert!(!reply.body.contains(&page.key), "{reply:#?}");
    // The metrics are labelled with the route.
    let metrics = app.get("/metrics").await.expect_ok().body;
    assert!(
        !metrics.contains("ubt_") && !metrics.contains("/t/"),
        "{metrics}"
    );
}

#[tokio::test]
async fn cors_applies_to_requests_with_token_in_path() {
    let origin = "https://app.example.com";
    let app = Setup::new()
        .set("BROKER_CORS_ORIGINS", origin)
        .start()
        .await;
    let page = issue_token(&app, json!({})).await;
    let url = format!("{}/t/{}/uploads", app.url, page.key);
    let preflight = app.http.request(Method::OPTIONS, &url);
    let preflight = preflight
        .header("origin", origin)
        .header("access-control-request-method", "POST");
    let post = app.http.post(&url).header("origin", origin);
    for request in [preflight, post.json(&json!({"path": "/a"}))] {
        let reply = Reply::of(request).await.expect_ok();
        assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
    }
    let other = app
        .http
        .post(&url)
        .header("origin", "https://evil.example.com");
    let reply = Reply::of(other.json(&json!({"path": "/b"}))).await;
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn token_expires_at_its_time_and_with_expired_or_revoked_key() {
    let app = App::start().await;
    let end = app.clock.now() + TimeDelta::minutes(5);
    let (_, key) = app.issue_key("default", &Scope::ALL, Some(end)).await;
    let made = request_token(&app, &key, json!({"expires_in": 3600})).await;
    let made = made.expect(StatusCode::CREATED);
    let ends: DateTime<Utc> = made["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(
        ends <= end && end - ends < TimeDelta::seconds(1),
        "{made:#}"
    );
    let page = Caller::new(app.url.clone(), made["token"].as_str().unwrap().to_owned());
    create(&page, json!({"path": "/a"}))
        .await
        .expect(StatusCode::CREATED);
    app.advance(ends - app.clock.now() - TimeDelta::microseconds(1));
    create(&page, json!({"path": "/b"}))
        .await
        .expect(StatusCode::CREATED);
    app.advance(TimeDelta::microseconds(1));
    create(&page, json!({"path": "/c"}))
        .await
        .expect_problem(401, "unauthenticated");

    let (id, key) = app.issue_key("default", &Scope::ALL, None).await;
    let made = request_token(&app, &key, json!({}))
        .await
        .expect(StatusCode::CREATED);
    let page = Caller::new(app.url.clone(), made["token"].as_str().unwrap().to_owned());
    create(&page, json!({"path": "/d"}))
        .await
        .expect(StatusCode::CREATED);
    let mut connection = upload_broker::store::pool::connect(app.database.url())
        .await
        .unwrap();
    assert!(keys::revoke(&mut connection, &app.clock, id).await.unwrap());
    eventually(
        "the token of a key that was taken back is refused",
        async || create(&page, json!({"path": "/e"})).await.status == StatusCode::UNAUTHORIZED,
    )
    .await;
}

#[tokio::test]
async fn token_is_valid_at_replicas_with_same_secret_only() {
    let app = App::start().await;
    let replica = Setup::new()
        .set("DATABASE_URL", app.database.url())
        .start()
        .await;
    let page = issue_token(&app, json!({})).await;
    let there = Caller::new(replica.url.clone(), page.key.clone());
    create(&there, json!({"path": "/a"}))
        .await
        .expect(StatusCode::CREATED);
    // With BROKER_TOKEN_SECRET set, the secret comes from the setting and not from the database.
    let secret = |word: &str| {
        let setup = Setup::new().set("BROKER_TOKEN_SECRET", word.repeat(8));
        setup.set("DATABASE_URL", app.database.url())
    };
    let (one, two) = (secret("word").start().await, secret("more").start().await);
    let made = request_token(&one, &app.key, json!({}))
        .await
        .expect(StatusCode::CREATED);
    let token = made["token"].as_str().unwrap();
    for (broker, status) in [(&one, 201), (&two, 401), (&app, 401)] {
        let page = Caller::new(broker.url.clone(), token.to_owned());
        let reply = create(&page, json!({"path": format!("/{status}")})).await;
        assert_eq!(reply.status.as_u16(), status, "{reply:#?}");
    }
}
