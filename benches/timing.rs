//! Does the time of a refusal tell how much of a secret was right?
//!
//! `cargo bench --bench timing`. Upload tokens and JWTs are refused whose signature is wrong in its
//! first byte, in its middle, in its last byte, or whose payload is. The kinds are measured in
//! turns, in an order that changes, so that what else the machine does meets all of them; of each
//! the median counts. Beside them stands what a comparison byte by byte would tell an attacker: the
//! medians of a kind may be apart by a third of that, and that itself has to be seen, or else
//! nothing was measured.
//!
//! API keys are not in here: they are found by their hash, and nothing compares them.

#![allow(clippy::unwrap_used, reason = "a benchmark may stop where it stands")]
#![allow(
    clippy::indexing_slicing,
    reason = "a benchmark may stop where it stands"
)]

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
/// Rounds; each measures every kind once.
const ROUNDS: usize = 20_000;
/// Refusals in one measurement: more than the clock's own grain.
const AT_ONCE: u32 = 16;

/// A right token, changed in one place: at a byte of its signature, or in its payload.
fn wrong(right: &str) -> Vec<(&'static str, String)> {
    let (head, signature) = right.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signed = |at: usize| {
        let mut other = signature.clone();
        other[at] ^= 1;
        format!("{head}.{}", URL_SAFE_NO_PAD.encode(other))
    };
    let last = signature.len() - 1;
    // The last letter of a payload may hold bits that say nothing; the one before it does not.
    let place = head.len() - 2;
    let letter = if head.as_bytes()[place] == b'A' {
        "B"
    } else {
        "A"
    };
    let payload = format!("{}{letter}{}", &head[..place], &right[place + 1..]);
    vec![
        ("its first byte", signed(0)),
        ("its middle", signed(last / 2)),
        ("its last byte", signed(last)),
        ("what is signed", payload),
    ]
}

/// The medians of each kind's time for one refusal, in nanoseconds.
fn medians(kinds: &[(&'static str, String)], refuse: impl Fn(&str)) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(ROUNDS); kinds.len()];
    for round in 0..ROUNDS {
        for turn in 0..kinds.len() {
            // Nobody always comes behind the same one.
            let step = if round % 2 == 0 {
                turn
            } else {
                kinds.len() - 1 - turn
            };
            let which = (round / 2 + step) % kinds.len();
            let text = kinds[which].1.as_str();
            let start = Instant::now();
            for _ in 0..AT_ONCE {
                refuse(black_box(text));
            }
            times[which].push(start.elapsed());
        }
    }
    times.iter_mut().map(|times| median(times)).collect()
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e9 / f64::from(AT_ONCE)
}

fn spread(medians: &[f64]) -> f64 {
    let least = medians.iter().copied().fold(f64::INFINITY, f64::min);
    medians.iter().copied().fold(0.0, f64::max) - least
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
    assert!(key.verify(&text).is_some(), "the right one opens");
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

/// What must not be: the right signature is made, and compared as far as it is right.
fn byte_by_byte(mac: &Hmac<Sha256>, text: &str) -> bool {
    let (payload, signature) = text.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut mac = mac.clone();
    mac.update(payload.as_bytes());
    let right = mac.finalize().into_bytes();
    (right.iter().zip(&signature)).all(|(one, other)| black_box(one) == black_box(other))
}

fn main() {
    let now = DateTime::<Utc>::from(UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    println!("\nRefusals, wrong in …, and how far apart (ns)");

    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    let mut right = mac.clone();
    right.update(b"ubt_payload");
    let signature = URL_SAFE_NO_PAD.encode(right.finalize().into_bytes());
    let right = format!("ubt_payload.{signature}");
    assert!(byte_by_byte(&mac, &right));
    let kinds = wrong(&right);
    let control = medians(&kinds, |text| {
        black_box(byte_by_byte(&mac, text));
    });
    // First byte against last: what an attacker would go by.
    let told = control[2] - control[0];
    line(
        "what bytes compared one by one would tell",
        told,
        "is seen: over 6",
        told > 6.0,
    );

    let tolerance = told / 3.0;
    let limit = format!("at most {tolerance:.1}");
    let show = |what: &str, kinds: &[(&str, String)], medians: &[f64]| {
        for ((place, _), median) in kinds.iter().zip(medians) {
            line(&format!("{what}, {place}"), *median, "", *median > 0.0);
        }
        let apart = spread(medians);
        line(
            &format!("{what}, how far apart"),
            apart,
            &limit,
            apart <= tolerance,
        );
    };
    let (key, right) = upload_token(now);
    let kinds = wrong(&right);
    let found = medians(&kinds, |text| assert!(key.verify(text).is_none()));
    show("an upload token", &kinds, &found);
    let (jwt, right) = jwt(now);
    let kinds = wrong(&right);
    let found = medians(&kinds, |text| {
        assert_eq!(jwt.verify(text, now), Verified::Invalid)
    });
    show("a JWT", &kinds, &found);
}
