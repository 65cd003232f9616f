//! The JWT issuer: with usable keys, without any, or unavailable.

use jsonwebtoken::Algorithm::{ES256, EdDSA};

use super::scene::{Report, doctor};
use crate::auth::issuer::{AUDIENCE, ISSUER, Issuer, SECRET, Says, Signer};
use crate::support::process::{Run, free_port};
use crate::support::serving::Place;

fn at(place: &Place, url: &str) -> Run {
    doctor(place)
        .set("BROKER_JWT_JWKS_URL", url)
        .set("BROKER_JWT_ISSUER", ISSUER)
        .set("BROKER_JWT_AUDIENCE", AUDIENCE)
}

#[tokio::test]
async fn issuer_check_names_algorithms_of_usable_keys() {
    let place = Place::new().await;
    let keys = [Signer::new("a", ES256), Signer::new("b", EdDSA)];
    let issuer = Issuer::new(&[&keys[0], &keys[1]]);
    let report = Report::of(at(&place, &issuer.url)).await;
    let why = "the key set has 2 keys of a supported kind: ES256, EdDSA";
    report.code(0).says("issuer", "ok", why);
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn issuer_without_usable_keys_or_unreachable_fails() {
    let place = Place::new().await;
    let issuer = Issuer::new(&[]);
    for (says, why) in [
        (Says::Fault, "500"),
        (Says::Text("<html>".into()), "no usable key"),
        (Says::Text(r#"{"keys":[]}"#.into()), "no usable key"),
        (Says::Elsewhere(issuer.url.clone()), "302"),
    ] {
        issuer.say(says);
        let report = Report::of(at(&place, &issuer.url)).await;
        report
            .code(1)
            .says("issuer", "failed", why)
            .advises("issuer", "BROKER_JWT_JWKS_URL")
            .says("migrations", "ok", "");
    }
    let unreachable = format!("http://127.0.0.1:{}/keys", free_port());
    let report = Report::of(at(&place, &unreachable)).await;
    report.code(1).says("issuer", "failed", "cannot be fetched");
}

#[tokio::test]
async fn shared_secret_needs_no_issuer() {
    let place = Place::new().await;
    let run = doctor(&place).set("BROKER_JWT_HS256_SECRET", SECRET);
    let report = Report::of(run).await;
    report.code(0).says("issuer", "ok", "HS256");
    assert!(!report.ended.out.contains(SECRET), "{report:#?}");
}
