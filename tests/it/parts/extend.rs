//! The lifetimes of sessions and their URLs.

use aws_credential_types::Credentials;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::{MIN, Scene, bytes};
use crate::support::app::{Setup, id, now};
use crate::support::cloud;
use crate::support::reply::Reply;

fn time(value: &Value) -> DateTime<Utc> {
    let text = value.as_str().expect("a time");
    text.parse()
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}

async fn extend(scene: &Scene, session: &Value, body: Value) -> Reply {
    let path = format!("/uploads/{}/extend", id(session));
    match body {
        Value::Null => scene.app.post_empty(&path).await,
        body => scene.app.post(&path, body).await,
    }
}

/// The seconds until the session expires.
fn left(scene: &Scene, upload: &Value) -> i64 {
    let left = time(&upload["expires_at"]) - scene.app.clock.now();
    // The URL of a single PUT expires at a whole second.
    (left + TimeDelta::milliseconds(999)).num_seconds()
}

#[tokio::test]
async fn extend_sets_new_deadline_and_never_shortens_a_session() {
    let scene = Scene::new().await;
    let many = scene
        .begin("a.bin", MIN + 1, json!({"expires_in": 600}))
        .await;
    let single = scene.app.create("b.csv", json!({"expires_in": 600})).await;
    for session in [&many, &single] {
        assert_eq!(left(&scene, session), 600, "{session:#}");
    }
    scene.app.advance(TimeDelta::seconds(500));
    for session in [&many, &single] {
        let upload = extend(&scene, session, Value::Null)
            .await
            .expect(StatusCode::OK);
        assert_eq!(left(&scene, &upload), 600, "{upload:#}");
        assert_eq!(
            scene.app.read(session).await["expires_at"],
            upload["expires_at"]
        );
        let shorter = extend(&scene, session, json!({"expires_in": 1})).await;
        let shorter = shorter.expect(StatusCode::OK);
        assert_eq!(left(&scene, &shorter), 600, "never back: {shorter:#}");
        let longer = extend(&scene, session, json!({"expires_in": 7200})).await;
        let longer = longer.expect(StatusCode::OK);
        assert_eq!(left(&scene, &longer), 7200, "{longer:#}");
        assert_eq!(
            scene.app.event_types(session).await,
            [""; 0],
            "it is no transition"
        );
    }
    for (body, pointer) in [
        (json!({"expires_in": 0}), "/expires_in"),
        (json!({"expires_in": 604_801}), "/expires_in"),
        (json!({"expires_in": -1}), "/expires_in"),
        (json!({"expires_in": "1h"}), "/expires_in"),
        (json!({"seconds": 1}), "/seconds"),
    ] {
        let text = body.to_string();
        let reply = extend(&scene, &many, body).await;
        let problem = reply.expect_problem(422, "invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{text}: {problem:#}"
        );
    }
}

#[tokio::test]
async fn extend_is_limited_by_maximum_session_lifetime() {
    let setup = Setup::new().set("BROKER_SESSION_MAX_SECONDS", 1000);
    let scene = Scene::with(setup).await;
    let session = scene
        .begin("a.bin", MIN + 1, json!({"expires_in": 600}))
        .await;
    let end = time(&session["created_at"]) + TimeDelta::seconds(1000);
    let upload = extend(&scene, &session, json!({"expires_in": 5000})).await;
    let upload = upload.expect(StatusCode::OK);
    assert_eq!(time(&upload["expires_at"]), end, "clamped, and says so");
    scene.app.advance(TimeDelta::seconds(900));
    let parts = scene.asked(&session, json!({"from": 1})).await;
    assert!(time(&parts[0]["expires_at"]) <= end, "{parts:#?}");
    assert!(
        time(&parts[0]["expires_at"]) > end - TimeDelta::seconds(2),
        "{parts:#?}"
    );
    // After its end the session stays Pending until the janitor runs, but gets no more URLs.
    scene.app.advance(TimeDelta::seconds(101));
    let reply = scene.ask(&session, json!({"from": 1})).await;
    let problem = reply.expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_status"], "Pending", "{problem:#}");
    let path = format!("/uploads/{}?refresh_urls=true", id(&session));
    let refreshed = scene.app.get(&path).await.expect(StatusCode::OK);
    assert_eq!(refreshed["multipart"]["parts"], json!([]), "{refreshed:#}");
    let upload = extend(&scene, &session, Value::Null)
        .await
        .expect(StatusCode::OK);
    assert_eq!(time(&upload["expires_at"]), end, "{upload:#}");
    // A longer time that was asked for at create is granted all the same.
    let long = scene
        .begin("b.bin", MIN + 1, json!({"expires_in": 2000}))
        .await;
    assert_eq!(left(&scene, &long), 2000, "{long:#}");
}

#[tokio::test]
async fn part_requests_extend_a_session_that_is_about_to_end() {
    let scene = Scene::new().await;
    let session = scene
        .begin("a.bin", MIN + 1, json!({"expires_in": 600}))
        .await;
    scene.app.advance(TimeDelta::seconds(200));
    let parts = scene.asked(&session, json!({"from": 1})).await;
    let upload = scene.app.read(&session).await;
    assert_eq!(
        upload["expires_at"], session["expires_at"],
        "there is time enough"
    );
    assert!(
        time(&parts[0]["expires_at"]) <= time(&upload["expires_at"]),
        "{parts:#?}"
    );
    for _ in 0..4 {
        scene.app.advance(TimeDelta::seconds(400));
        let parts = scene.asked(&session, json!({"from": 1})).await;
        let upload = scene.app.read(&session).await;
        assert!(left(&scene, &upload) >= 300, "{upload:#}");
        let end = time(&parts[1]["expires_at"]);
        assert!(end <= time(&upload["expires_at"]), "{parts:#?}");
        assert!(
            end > scene.app.clock.now() + TimeDelta::seconds(299),
            "{parts:#?}"
        );
        let url = parts[1]["url"].as_str().expect("a URL");
        let seconds = (end - scene.app.clock.now()).num_seconds();
        let signed = url.split("X-Amz-Expires=").nth(1).expect("a lifetime");
        let signed: i64 = signed.split('&').next().unwrap().parse().expect("seconds");
        assert!((signed - seconds).abs() <= 1, "{signed} and {seconds}");
    }
}

#[tokio::test]
async fn session_can_be_found_by_path_and_resumed_with_fresh_urls() {
    let scene = Scene::new().await;
    let whole = bytes(MIN + 9);
    let session = scene.begin("in/a.bin", whole.len(), json!({})).await;
    scene.begin("in/b.bin", 9, json!({})).await;
    scene.send_of(&Scene::parts(&session)[0], &whole).await;
    scene.app.advance(TimeDelta::seconds(60));
    let found = scene
        .app
        .get("/uploads?path=/in/a.bin&status=Pending")
        .await;
    let found = found.expect(StatusCode::OK);
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found:#}");
    assert_eq!(found[0]["id"], session["id"]);
    assert_eq!(found[0]["multipart"]["part_count"], 2, "{found:#}");
    assert_eq!(found[0]["multipart"]["parts"], json!([]), "{found:#}");
    let path = format!("/uploads/{}?refresh_urls=true", id(&session));
    let fresh = scene.app.get(&path).await.expect(StatusCode::OK);
    assert!(
        time(&fresh["expires_at"]) > time(&session["expires_at"]),
        "{fresh:#}"
    );
    let (old, new) = (&Scene::parts(&session)[1], &Scene::parts(&fresh)[1]);
    assert_ne!(old["url"], new["url"]);
    assert_eq!(scene.listed(&fresh).await["missing"], json!([[2, 2]]));
    scene.send_of(new, &whole).await;
    scene.app.acknowledge(&fresh).await.expect(StatusCode::OK);
    assert!(
        scene.app.bucket.get("in/a.bin").await == whole,
        "other bytes"
    );
}

#[tokio::test]
async fn part_urls_end_with_the_credentials_while_the_session_goes_on() {
    let end = now() + TimeDelta::seconds(1200);
    let (key, secret) = (cloud::ACCESS_KEY_ID, cloud::SECRET_ACCESS_KEY);
    let credentials = Credentials::new(key, secret, None, Some(end.into()), "tests");
    let scene = Scene::with(Setup::new().credentials(credentials)).await;
    let session = scene
        .begin("a.bin", MIN + 1, json!({"expires_in": 7200}))
        .await;
    assert_eq!(left(&scene, &session), 7200, "{session:#}");
    let asked = scene.asked(&session, json!({"from": 2})).await;
    for part in Scene::parts(&session).iter().chain(&asked) {
        assert!(time(&part["expires_at"]) <= end, "{part:#}");
        assert!(
            time(&part["expires_at"]) > end - TimeDelta::seconds(2),
            "{part:#}"
        );
    }
}
