//! When a URL expires: never later than it says, and never later than the credentials that signed
//! it.

use aws_credential_types::Credentials;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Put, at_both_stores, parameter};
use crate::support::app::{App, Setup, id, now};
use crate::support::cloud::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

at_both_stores!(expired_url_is_rejected, refreshed_url_works_again);

fn time(text: &Value) -> DateTime<Utc> {
    text.as_str().expect("a time").parse().expect("a time")
}

async fn expired_url_is_rejected(setup: Setup) {
    let app = setup.clock_at(now() - TimeDelta::hours(1)).start().await;
    let session = app.create("a.csv", json!({"expires_in": 60})).await;
    let sent = Put::of(&session, "too late").send(&app).await;
    assert_eq!(sent, (403, "AccessDenied".into()));
    assert!(app.bucket.head("a.csv").await.is_none());
    app.acknowledge(&session)
        .await
        .expect_problem(409, "object-missing");
    assert_eq!(app.read(&session).await["status"], "Pending");
}

async fn refreshed_url_works_again(setup: Setup) {
    let app = setup.clock_at(now() - TimeDelta::hours(1)).start().await;
    let session = app.create("a.csv", json!({"expires_in": 60})).await;
    app.advance(TimeDelta::hours(1));
    let path = format!("/uploads/{}?refresh_urls=true", id(&session));
    let fresh = app.get(&path).await.expect(StatusCode::OK);
    assert_ne!(fresh["upload"]["url"], session["upload"]["url"]);
    assert_eq!(fresh["upload"]["headers"], session["upload"]["headers"]);
    assert_eq!(
        fresh["expires_at"], fresh["upload"]["expires_at"],
        "{fresh:#}"
    );
    let later = time(&fresh["expires_at"]) - time(&session["expires_at"]);
    assert_eq!(later, TimeDelta::hours(1), "{fresh:#}");

    assert_eq!(Put::of(&fresh, "in time").send(&app).await.0, 200);
    let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(uploaded["status"], "Uploaded", "{uploaded:#}");
    let fresh = app.get(&path).await.expect(StatusCode::OK);
    assert_eq!(fresh["upload"], Value::Null, "no URL once it is Uploaded");
}

#[tokio::test]
async fn session_deadline_equals_the_expiry_of_its_url() {
    let app = App::start().await;
    let second = app.clock.now().trunc_subsecs(0);
    for (asked, expected) in [(json!({}), 900), (json!({"expires_in": 604_800}), 604_800)] {
        let session = app.create("a.csv", asked).await;
        let ends = second + TimeDelta::seconds(expected);
        assert_eq!(time(&session["upload"]["expires_at"]), ends, "{session:#}");
        assert_eq!(session["expires_at"], session["upload"]["expires_at"]);
        let lives = parameter(&session, "X-Amz-Expires");
        assert_eq!(lives, Some(expected.to_string()), "{session:#}");
        assert_eq!(parameter(&session, "X-Amz-Security-Token"), None);
    }
}

#[tokio::test]
async fn urls_end_with_temporary_credentials() {
    let ends = now() + TimeDelta::seconds(100);
    let temporary = Credentials::new(
        "ASIATEMPORARY",
        "secret",
        Some("a token".into()),
        Some(ends.into()),
        "tests",
    );
    let app = Setup::new().credentials(temporary).start().await;
    let session = app.create("a.csv", json!({"expires_in": 900})).await;
    assert_eq!(
        time(&session["expires_at"]),
        ends.trunc_subsecs(0),
        "{session:#}"
    );
    assert_eq!(
        session["upload"]["expires_at"], session["expires_at"],
        "{session:#}"
    );
    let lives = parameter(&session, "X-Amz-Expires").expect("X-Amz-Expires");
    let lives: i64 = lives.parse().expect("seconds");
    assert!((99..=100).contains(&lives), "{lives}");
    let token = parameter(&session, "X-Amz-Security-Token");
    assert_eq!(token.as_deref(), Some("a token"));
    let short = app.create("b.csv", json!({"expires_in": 50})).await;
    assert_eq!(parameter(&short, "X-Amz-Expires").as_deref(), Some("50"));

    // The credentials have ended and the provider has no others. No URL is better than one that
    // does not work.
    app.advance(TimeDelta::seconds(101));
    let refused = app.post("/uploads", json!({"path": "c.csv"})).await;
    assert!(refused.header("retry-after").is_some(), "{refused:#?}");
    refused.expect_problem(503, "service-unavailable");
    let list = app.get("/uploads?path=/c.csv").await.expect(StatusCode::OK);
    assert_eq!(list, json!([]), "no row without a URL");
}

#[tokio::test]
async fn credentials_with_an_expiry_sign_working_urls() {
    let ends = now() + TimeDelta::seconds(100);
    let role = Credentials::new(
        ACCESS_KEY_ID,
        SECRET_ACCESS_KEY,
        None,
        Some(ends.into()),
        "tests",
    );
    let app = Setup::new().credentials(role).start().await;
    let uploaded = app.upload("a.csv", "a", json!({})).await;
    assert_eq!(uploaded["status"], "Uploaded", "{uploaded:#}");
    assert_eq!(time(&uploaded["expires_at"]), ends.trunc_subsecs(0));
}
