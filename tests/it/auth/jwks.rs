//! JWTs that are verified with an issuer's key set: which are accepted, and how often the set is
//! fetched.

use std::time::Instant;

use chrono::TimeDelta;
use futures::future::join_all;
use jsonwebtoken::Algorithm::{ES256, ES384, EdDSA, HS256, PS256, RS256, RS384, RS512};
use jsonwebtoken::Header;
use reqwest::StatusCode;
use serde_json::json;

use super::get_as;
use super::issuer::{AUDIENCE, ISSUER, Issuer, Says, Signer, claims};
use crate::support::app::{App, Setup};
use crate::support::observe::eventually;
use crate::support::reply::Reply;

async fn start(issuer: &Issuer) -> App {
    let setup = Setup::new()
        .set("BROKER_JWT_JWKS_URL", &issuer.url)
        .set("BROKER_JWT_ISSUER", ISSUER)
        .set("BROKER_JWT_AUDIENCE", AUDIENCE);
    setup.start().await
}

/// Lists uploads with a JWT of a new subject, so that no cached token is used.
async fn list_as_new_subject(app: &App, signer: &Signer) -> Reply {
    let sub = uuid::Uuid::now_v7();
    let exp = app.clock.now().timestamp() + 86_400;
    let token = signer.sign(&claims(app, json!({"sub": sub, "exp": exp})));
    get_as(app, &token, "/uploads").await
}

#[tokio::test]
async fn each_key_is_accepted_for_its_own_algorithm_only() {
    let keys = [RS256, RS384, RS512, PS256, ES256, ES384, EdDSA];
    let keys = keys.map(|kind| Signer::new(&format!("{kind:?}"), kind));
    let issuer = Issuer::new(&keys.each_ref());
    let app = start(&issuer).await;
    for key in &keys {
        list_as_new_subject(&app, key).await.expect(StatusCode::OK);
        // A JWT without a key id is verified with the only key of its algorithm.
        let token = key.sign_with(&Header::new(key.algorithm), &claims(&app, json!({})));
        get_as(&app, &token, "/uploads")
            .await
            .expect(StatusCode::OK);
        // Another key with the same key id.
        let forged = Signer::new(&key.id, key.algorithm);
        list_as_new_subject(&app, &forged)
            .await
            .expect_problem(401, "unauthenticated");
    }
    // A public key in any encoding is not accepted as an HS256 secret.
    for key in &keys {
        let jwk = key.jwk();
        let mut secrets = vec![jwk.to_string().into_bytes()];
        for member in ["n", "x", "y"] {
            let Some(text) = jwk[member].as_str() else {
                continue;
            };
            use base64::Engine as _;
            let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text);
            secrets.push(raw.expect("base64url"));
            secrets.push(text.as_bytes().to_vec());
        }
        for secret in secrets {
            let forged = Signer::of_secret(&key.id, &secret);
            list_as_new_subject(&app, &forged)
                .await
                .expect_problem(401, "unauthenticated");
            let token = forged.sign_with(&Header::new(HS256), &claims(&app, json!({})));
            get_as(&app, &token, "/uploads")
                .await
                .expect_problem(401, "unauthenticated");
        }
    }
    // A key of one algorithm with the key id of another.
    let forged = Signer::new(&keys[0].id, ES256);
    list_as_new_subject(&app, &forged)
        .await
        .expect_problem(401, "unauthenticated");
    assert_eq!(issuer.asked(), 1);
}

/// The issuer keeps the key id when it replaces the key.
#[tokio::test]
async fn replaced_key_with_same_key_id_is_fetched_after_pause() {
    for kind in [ES256, ES384] {
        let (old, new) = (Signer::new("key", ES256), Signer::new("key", kind));
        let issuer = Issuer::new(&[&old]);
        let app = start(&issuer).await;
        list_as_new_subject(&app, &old).await.expect(StatusCode::OK);
        issuer.has(&[&new]);
        // During the pause after a fetch, no number of requests causes another fetch.
        let replies = join_all((0..20).map(|_| list_as_new_subject(&app, &new))).await;
        for reply in replies {
            reply.expect_problem(401, "unauthenticated");
        }
        assert_eq!(issuer.asked(), 1);
        app.advance(TimeDelta::seconds(10));
        let replies = join_all((0..20).map(|_| list_as_new_subject(&app, &new))).await;
        for reply in replies {
            reply.expect(StatusCode::OK);
        }
        list_as_new_subject(&app, &old)
            .await
            .expect_problem(401, "unauthenticated");
        assert_eq!(issuer.asked(), 2, "{kind:?}");
    }
}

#[tokio::test]
async fn new_key_is_fetched_and_unknown_key_ids_cause_one_fetch_per_pause() {
    let (old, new) = (Signer::new("old", ES256), Signer::new("new", ES256));
    let issuer = Issuer::new(&[&old]);
    let app = start(&issuer).await;
    list_as_new_subject(&app, &old).await.expect(StatusCode::OK);
    assert_eq!(issuer.asked(), 1);
    // Many requests during the pause cause no fetch.
    let flood = async || {
        let made_up: Vec<_> = (0..50)
            .map(|at| Signer::new(&format!("no-{at}"), ES256))
            .collect();
        let replies = join_all(made_up.iter().map(|key| list_as_new_subject(&app, key))).await;
        for reply in replies {
            reply.expect_problem(401, "unauthenticated");
        }
    };
    flood().await;
    assert_eq!(issuer.asked(), 1);
    // After the pause they cause one fetch in all.
    app.advance(TimeDelta::seconds(10));
    flood().await;
    assert_eq!(issuer.asked(), 2);
    issuer.has(&[&old, &new]);
    list_as_new_subject(&app, &new)
        .await
        .expect_problem(401, "unauthenticated");
    app.advance(TimeDelta::seconds(10));
    list_as_new_subject(&app, &new).await.expect(StatusCode::OK);
    list_as_new_subject(&app, &old).await.expect(StatusCode::OK);
    assert_eq!(issuer.asked(), 3);
}

/// When no JWT was verified for a long time, the cached key set is stale. The next JWT is verified
/// with a fresh one.
#[tokio::test]
async fn withdrawn_key_is_rejected_after_key_set_became_stale() {
    let (old, new) = (Signer::new("old", ES256), Signer::new("new", ES256));
    let issuer = Issuer::new(&[&old]);
    let app = start(&issuer).await;
    list_as_new_subject(&app, &old).await.expect(StatusCode::OK);
    issuer.has(&[&new]);
    app.advance(TimeDelta::hours(1));
    list_as_new_subject(&app, &old)
        .await
        .expect_problem(401, "unauthenticated");
    list_as_new_subject(&app, &new).await.expect(StatusCode::OK);
    assert_eq!(issuer.asked(), 2);
    // When the issuer is unavailable then, its cached keys stay valid.
    issuer.say(Says::Fault);
    app.advance(TimeDelta::hours(1));
    list_as_new_subject(&app, &new).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn cached_keys_stay_valid_while_issuer_answers_with_errors() {
    let (old, new) = (Signer::new("old", EdDSA), Signer::new("new", EdDSA));
    let issuer = Issuer::new(&[&old]);
    let app = start(&issuer).await;
    list_as_new_subject(&app, &old).await.expect(StatusCode::OK);
    for says in [
        Says::Fault,
        Says::Text("<html>".into()),
        Says::Text(r#"{"keys":[]}"#.into()),
        Says::Text(format!(r#"{{"keys":[],"more":"{}"}}"#, "x".repeat(300_000))),
        Says::Elsewhere(issuer.url.clone()),
    ] {
        issuer.say(says);
        app.advance(TimeDelta::minutes(11));
        list_as_new_subject(&app, &old).await.expect(StatusCode::OK);
        // Whether the issuer has this key by now is unknown.
        let reply = list_as_new_subject(&app, &new).await;
        assert!(reply.header("retry-after").is_some(), "{reply:#?}");
        let problem = reply.expect_problem(503, "service-unavailable");
        let text = problem.to_string();
        assert!(
            !text.contains(&issuer.url) && !text.contains("127.0.0.1"),
            "{text}"
        );
    }
    issuer.has(&[&old, &new]);
    app.advance(TimeDelta::seconds(10));
    list_as_new_subject(&app, &new).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn silent_issuer_delays_jwt_callers_briefly_and_key_callers_not() {
    let key = Signer::new("key", EdDSA);
    let issuer = Issuer::new(&[&key]);
    issuer.say(Says::Silence);
    let app = start(&issuer).await;
    let begun = Instant::now();
    let replies = join_all((0..20).map(|_| list_as_new_subject(&app, &key))).await;
    for reply in replies {
        reply.expect_problem(503, "service-unavailable");
    }
    let took = begun.elapsed();
    assert!(took.as_secs() < 6, "{took:?}");
    assert_eq!(issuer.asked(), 1);
    // API keys do not depend on the issuer.
    app.get("/uploads").await.expect(StatusCode::OK);
    issuer.has(&[&key]);
    app.advance(TimeDelta::seconds(1));
    list_as_new_subject(&app, &key).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn withdrawn_key_is_rejected_after_refresh_interval() {
    let (old, new) = (Signer::new("old", ES256), Signer::new("new", ES256));
    let issuer = Issuer::new(&[&old, &new]);
    let app = start(&issuer).await;
    list_as_new_subject(&app, &old).await.expect(StatusCode::OK);
    issuer.has(&[&new]);
    app.advance(TimeDelta::minutes(10));
    eventually("the withdrawn key is refused", async || {
        let reply = list_as_new_subject(&app, &old).await;
        if reply.status == StatusCode::OK {
            return false;
        }
        reply.expect_problem(401, "unauthenticated");
        true
    })
    .await;
    list_as_new_subject(&app, &new).await.expect(StatusCode::OK);
}
