//! Measures whether the time of a rejection reveals how much of a secret was correct.
//!
//! Run it with `cargo bench --bench timing`. It measures the rejection of upload tokens and JWTs whose signature
//! is wrong in its first byte, in the middle or in its last byte, or whose payload is wrong. These variants are
//! measured alternately in a changing order, so that other load on the machine affects all of them. The result
//! of a variant is its median. As a control, the same is measured for a comparison byte by byte, which reveals
//! the position of the first wrong byte. The medians of tokens and JWTs may differ by at most a third of the
//! difference of the control. The difference of the control must be measurable, otherwise the measurement is
//! not precise enough.
//!
//! API keys are not measured: they are looked up by their hash, and nothing compares them.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::indexing_slicing, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::time::{Duration, Instant, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{EncodingKey, Header, encode};
use secrecy::ExposeSecret as _;
use serde_json::json;
use sha2::Sha256;
use upload_broker::config::{Jwt as Settings, JwtKeys};
use upload_broker::domain::prefix::PathPrefix;
use upload_broker::domain::principal::Scope;
use upload_broker::identity::Grant;
use upload_broker::identity::jwt::{Jwt, Verified};
use upload_broker::identity::upload_token::{TokenKey, UploadToken};

const SECRET: &str = "a secret of the bench, with more than thirty-two bytes";
/// The number of rounds. Each round measures every variant once.
const ROUNDS: usize = 20_000;
/// The number of rejections in one measurement, which takes longer than the resolution of the clock.
const REJECTIONS_PER_MEASUREMENT: u32 = 16;

/// Returns variants of a valid token with one wrong byte in the signature or in the payload.
fn invalid_variants(valid: &str) -> Vec<(&'static str, String)> {
    let (head, signature) = valid.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signed = |at: usize| {
        let mut other = signature.clone();
        other[at] ^= 1;
        format!("{head}.{}", URL_SAFE_NO_PAD.encode(other))
    };
    let last = signature.len() - 1;
    // The last character of a payload may contain unused bits; the one before it does not.
    let position = head.len() - 2;
    let letter = if head.as_bytes()[position] == b'A' {
        "B"
    } else {
        "A"
    };
    let payload = format!("{}{letter}{}", &head[..position], &valid[position + 1..]);
    vec![
        ("first byte", signed(0)),
        ("middle byte", signed(last / 2)),
        ("last byte", signed(last)),
        ("payload", payload),
    ]
}

/// Returns the median time of one rejection for each variant, in nanoseconds.
fn medians(variants: &[(&'static str, String)], reject: impl Fn(&str)) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(ROUNDS); variants.len()];
    for round in 0..ROUNDS {
        for index in 0..variants.len() {
            // No variant is always measured after the same other variant.
            let step = if round % 2 == 0 {
                index
            } else {
                variants.len() - 1 - index
            };
            let which = (round / 2 + step) % variants.len();
            let text = variants[which].1.as_str();
            let start = Instant::now();
            for _ in 0..REJECTIONS_PER_MEASUREMENT {
                reject(black_box(text));
            }
            times[which].push(start.elapsed());
        }
    }
    times.iter_mut().map(|times| median(times)).collect()
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e9 / f64::from(REJECTIONS_PER_MEASUREMENT)
}

fn difference(medians: &[f64]) -> f64 {
    let smallest = medians.iter().copied().fold(f64::INFINITY, f64::min);
    medians.iter().copied().fold(0.0, f64::max) - smallest
}

fn line(name: &str, figure: f64, limit: &str, holds: bool) {
    let verdict = if holds { "ok" } else { "MISSED" };
    println!("{name:<46} {figure:>8.1}   {limit:<18} {verdict}");
}

fn upload_token(now: DateTime<Utc>) -> (TokenKey, String) {
    let key = TokenKey::new(SECRET.as_bytes());
    let token = UploadToken {
        grant: Grant {
            tenant: "acme".into(),
            scopes: vec![Scope::UploadsWrite],
            prefix: PathPrefix::parse("/in/").unwrap(),
            max_size: None,
            ends_at: now,
            subject: None,
        },
        key: None,
        allowances: vec![],
    };
    let sealed = key.sign(&token).unwrap();
    let text = sealed.expose_secret().to_owned();
    assert!(key.verify(&text).is_some(), "a valid token is accepted");
    (key, text)
}

fn jwt(now: DateTime<Utc>) -> (Jwt, String) {
    let jwt = Jwt::new(&Settings {
        keys: JwtKeys::Secret(SECRET.into()),
        issuer: None,
        audience: None,
        tenant_claim: "tenant".to_owned(),
        scope_claim: None,
    });
    let claims = json!({"tenant": "acme", "scope": "uploads:write", "exp": now.timestamp() + 60});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let text = encode(&Header::default(), &claims, &key).unwrap();
    let jwt = jwt.unwrap();
    assert!(matches!(jwt.verify(&text, now), Verified::Valid(_)));
    (jwt, text)
}

/// The control: compares signatures byte by byte up to the first difference, as the broker must not.
fn compare_byte_by_byte(mac: &Hmac<Sha256>, text: &str) -> bool {
    let (payload, signature) = text.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut mac = mac.clone();
    mac.update(payload.as_bytes());
    let right = mac.finalize().into_bytes();
    (right.iter().zip(&signature)).all(|(one, other)| black_box(one) == black_box(other))
}

fn main() {
    let now = DateTime::<Utc>::from(UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    println!("\nTime of a rejection by the position of the wrong byte (ns)");

    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    let mut right = mac.clone();
    right.update(b"ubt_payload");
    let signature = URL_SAFE_NO_PAD.encode(right.finalize().into_bytes());
    let valid = format!("ubt_payload.{signature}");
    assert!(compare_byte_by_byte(&mac, &valid));
    let variants = invalid_variants(&valid);
    let control = medians(&variants, |text| {
        black_box(compare_byte_by_byte(&mac, text));
    });
    // The difference between the first and the last byte is what an attacker could use.
    let control_difference = control[2] - control[0];
    line(
        "comparison byte by byte, difference",
        control_difference,
        "over 6",
        control_difference > 6.0,
    );

    let tolerance = control_difference / 3.0;
    let limit = format!("at most {tolerance:.1}");
    let show = |what: &str, variants: &[(&str, String)], medians: &[f64]| {
        for ((position, _), median) in variants.iter().zip(medians) {
            line(&format!("{what}, {position}"), *median, "", *median > 0.0);
        }
        let found = difference(medians);
        line(
            &format!("{what}, difference"),
            found,
            &limit,
            found <= tolerance,
        );
    };
    let (key, valid) = upload_token(now);
    let variants = invalid_variants(&valid);
    let found = medians(&variants, |text| assert!(key.verify(text).is_none()));
    show("upload token", &variants, &found);
    let (jwt, valid) = jwt(now);
    let variants = invalid_variants(&valid);
    let found = medians(&variants, |text| {
        assert_eq!(jwt.verify(text, now), Verified::Invalid)
    });
    show("JWT", &variants, &found);
}
