//! JWTs with the keys of an issuer: which are believed, and how often the issuer is asked.

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

/// Somebody new with a JWT by this key: no other test of it is remembered.
async fn ask(app: &App, signer: &Signer) -> Reply {
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
        ask(&app, key).await.expect(StatusCode::OK);
        // Without a name, the only one of its kind is meant.
        let token = key.sign_with(&Header::new(key.algorithm), &claims(&app, json!({})));
        get_as(&app, &token, "/uploads")
            .await
            .expect(StatusCode::OK);
        // Another key under the same name.
        let forged = Signer::new(&key.id, key.algorithm);
        ask(&app, &forged)
            .await
            .expect_problem(401, "unauthenticated");
    }
    // What everybody can read is no secret, whatever form it is read in.
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
            ask(&app, &forged)
                .await
                .expect_problem(401, "unauthenticated");
            let token = forged.sign_with(&Header::new(HS256), &claims(&app, json!({})));
            get_as(&app, &token, "/uploads")
                .await
                .expect_problem(401, "unauthenticated");
        }
    }
    // A key of one kind under the name of another.
    let forged = Signer::new(&keys[0].id, ES256);
    ask(&app, &forged)
        .await
        .expect_problem(401, "unauthenticated");
    assert_eq!(issuer.asked(), 1);
}

/// An issuer that keeps the name of its key when it replaces it.
#[tokio::test]
async fn replaced_key_with_same_key_id_is_fetched_after_pause() {
    for kind in [ES256, ES384] {
        let (old, new) = (Signer::new("key", ES256), Signer::new("key", kind));
        let issuer = Issuer::new(&[&old]);
        let app = start(&issuer).await;
        ask(&app, &old).await.expect(StatusCode::OK);
        issuer.has(&[&new]);
        // Within the pause after a fetch the issuer is not asked again, however many come.
        let replies = join_all((0..20).map(|_| ask(&app, &new))).await;
        for reply in replies {
            reply.expect_problem(401, "unauthenticated");
        }
        assert_eq!(issuer.asked(), 1);
        app.advance(TimeDelta::seconds(10));
        let replies = join_all((0..20).map(|_| ask(&app, &new))).await;
        for reply in replies {
            reply.expect(StatusCode::OK);
        }
        ask(&app, &old).await.expect_problem(401, "unauthenticated");
        assert_eq!(issuer.asked(), 2, "{kind:?}");
    }
}

#[tokio::test]
async fn new_key_is_fetched_and_unknown_key_ids_cause_one_fetch_per_pause() {
    let (old, new) = (Signer::new("old", ES256), Signer::new("new", ES256));
    let issuer = Issuer::new(&[&old]);
    let app = start(&issuer).await;
    ask(&app, &old).await.expect(StatusCode::OK);
    assert_eq!(issuer.asked(), 1);
    // A flood within the pause: nobody asks.
    let flood = async || {
        let made_up: Vec<_> = (0..50)
            .map(|at| Signer::new(&format!("no-{at}"), ES256))
            .collect();
        let replies = join_all(made_up.iter().map(|key| ask(&app, key))).await;
        for reply in replies {
            reply.expect_problem(401, "unauthenticated");
        }
    };
    flood().await;
    assert_eq!(issuer.asked(), 1);
    // After it: once for all of them.
    app.advance(TimeDelta::seconds(10));
    flood().await;
    assert_eq!(issuer.asked(), 2);
    issuer.has(&[&old, &new]);
    ask(&app, &new).await.expect_problem(401, "unauthenticated");
    app.advance(TimeDelta::seconds(10));
    ask(&app, &new).await.expect(StatusCode::OK);
    ask(&app, &old).await.expect(StatusCode::OK);
    assert_eq!(issuer.asked(), 3);
}

/// Where nobody came with a JWT for long, the set at hand is old: the first one to come is held
/// against a new one.
#[tokio::test]
async fn withdrawn_key_is_rejected_after_key_set_became_stale() {
    let (old, new) = (Signer::new("old", ES256), Signer::new("new", ES256));
    let issuer = Issuer::new(&[&old]);
    let app = start(&issuer).await;
    ask(&app, &old).await.expect(StatusCode::OK);
    issuer.has(&[&new]);
    app.advance(TimeDelta::hours(1));
    ask(&app, &old).await.expect_problem(401, "unauthenticated");
    ask(&app, &new).await.expect(StatusCode::OK);
    assert_eq!(issuer.asked(), 2);
    // Where the issuer is away then, its keys go on.
    issuer.say(Says::Fault);
    app.advance(TimeDelta::hours(1));
    ask(&app, &new).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn cached_keys_stay_valid_while_issuer_answers_with_errors() {
    let (old, new) = (Signer::new("old", EdDSA), Signer::new("new", EdDSA));
    let issuer = Issuer::new(&[&old]);
    let app = start(&issuer).await;
    ask(&app, &old).await.expect(StatusCode::OK);
    for says in [
        Says::Fault,
        Says::Text("<html>".into()),
        Says::Text(r#"{"keys":[]}"#.into()),
        Says::Text(format!(r#"{{"keys":[],"more":"{}"}}"#, "x".repeat(300_000))),
        Says::Elsewhere(issuer.url.clone()),
    ] {
        issuer.say(says);
        app.advance(TimeDelta::minutes(11));
        ask(&app, &old).await.expect(StatusCode::OK);
        // Of a key that it may have by now, nobody can tell.
        let reply = ask(&app, &new).await;
        assert!(reply.header("retry-after").is_some(), "{reply:#?}");
        let problem = reply.expect_problem(503, "service-unavailable");
        let told = problem.to_string();
        assert!(
            !told.contains(&issuer.url) && !told.contains("127.0.0.1"),
            "{told}"
        );
    }
    issuer.has(&[&old, &new]);
    app.advance(TimeDelta::seconds(10));
    ask(&app, &new).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn silent_issuer_delays_jwt_callers_briefly_and_key_callers_not() {
    let key = Signer::new("key", EdDSA);
    let issuer = Issuer::new(&[&key]);
    issuer.say(Says::Silence);
    let app = start(&issuer).await;
    let begun = Instant::now();
    let replies = join_all((0..20).map(|_| ask(&app, &key))).await;
    for reply in replies {
        reply.expect_problem(503, "service-unavailable");
    }
    let took = begun.elapsed();
    assert!(took.as_secs() < 6, "{took:?}");
    assert_eq!(issuer.asked(), 1);
    // Keys of ours do not need it.
    app.get("/uploads").await.expect(StatusCode::OK);
    issuer.has(&[&key]);
    app.advance(TimeDelta::seconds(1));
    ask(&app, &key).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn withdrawn_key_is_rejected_after_refresh_interval() {
    let (old, new) = (Signer::new("old", ES256), Signer::new("new", ES256));
    let issuer = Issuer::new(&[&old, &new]);
    let app = start(&issuer).await;
    ask(&app, &old).await.expect(StatusCode::OK);
    issuer.has(&[&new]);
    app.advance(TimeDelta::minutes(10));
    eventually("the withdrawn key is refused", async || {
        let reply = ask(&app, &old).await;
        if reply.status == StatusCode::OK {
            return false;
        }
        reply.expect_problem(401, "unauthenticated");
        true
    })
    .await;
    ask(&app, &new).await.expect(StatusCode::OK);
}
