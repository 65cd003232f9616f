//! Which tokens are accepted.

use secrecy::ExposeSecret as _;

use super::{good, load};
use crate::config::JwtKeys;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const URL: &str = "https://id.example.com/keys";

#[test]
fn no_jwt_is_accepted_by_default() {
    let identity = good(&[]).identity;
    assert!(identity.jwt.is_none() && identity.token_secret.is_none());
}

#[test]
fn jwt_keys_are_a_secret_or_the_url_of_a_key_set() {
    let jwt = good(&[("BROKER_JWT_HS256_SECRET", SECRET)]).identity.jwt;
    match jwt.unwrap().keys {
        JwtKeys::Secret(secret) => assert_eq!(secret.expose_secret(), SECRET),
        JwtKeys::Url(url) => panic!("{url}"),
    }
    for url in [
        URL,
        "http://127.0.0.1:1/k",
        "http://[::1]:1/k",
        "http://localhost/k",
    ] {
        let jwt = good(&[
            ("BROKER_JWT_JWKS_URL", url),
            ("BROKER_JWT_ISSUER", "https://id.example.com"),
            ("BROKER_JWT_AUDIENCE", "uploads"),
        ]);
        assert!(jwt.identity.jwt.is_some(), "{url}");
    }
}

#[test]
fn conflicting_or_missing_jwt_settings_are_reported_by_name() {
    let url = ("BROKER_JWT_JWKS_URL", URL);
    let secret = ("BROKER_JWT_HS256_SECRET", SECRET);
    let issuer = ("BROKER_JWT_ISSUER", "me");
    let audience = ("BROKER_JWT_AUDIENCE", "you");
    let short = &SECRET[1..];
    for (changes, names) in [
        (vec![url], vec!["BROKER_JWT_ISSUER", "BROKER_JWT_AUDIENCE"]),
        (vec![url, issuer], vec!["BROKER_JWT_AUDIENCE"]),
        (vec![issuer], vec!["BROKER_JWT_ISSUER"]),
        (
            vec![secret, url, issuer, audience],
            vec!["BROKER_JWT_HS256_SECRET"],
        ),
        (
            vec![("BROKER_JWT_HS256_SECRET", short)],
            vec!["BROKER_JWT_HS256_SECRET"],
        ),
        (
            vec![("BROKER_TOKEN_SECRET", short)],
            vec!["BROKER_TOKEN_SECRET"],
        ),
        (
            vec![
                ("BROKER_JWT_JWKS_URL", "http://id.example.com/keys"),
                issuer,
                audience,
            ],
            vec!["BROKER_JWT_JWKS_URL"],
        ),
        (
            vec![
                ("BROKER_JWT_JWKS_URL", "https://me:hunter2@id.example.com/"),
                issuer,
                audience,
            ],
            vec!["BROKER_JWT_JWKS_URL"],
        ),
        (
            vec![
                ("BROKER_JWT_JWKS_URL", "http://localhost.example.com/"),
                issuer,
                audience,
            ],
            vec!["BROKER_JWT_JWKS_URL"],
        ),
    ] {
        let faults = load(&changes).map(|_| ()).expect_err("a fault");
        for name in &names {
            let reported = faults.iter().any(|fault| fault.starts_with(name));
            assert!(reported, "{name} for {changes:?}: {faults:?}");
        }
        let all = faults.join("\n");
        assert!(!all.contains("hunter2") && !all.contains(short), "{all}");
    }
}

#[test]
fn jwt_and_token_secrets_are_not_shown() {
    let settings = good(&[
        ("BROKER_JWT_HS256_SECRET", SECRET),
        ("BROKER_TOKEN_SECRET", "another one that is long enough too"),
    ]);
    for shown in [format!("{settings:?}"), settings.report()] {
        assert!(
            !shown.contains(SECRET) && !shown.contains("another one"),
            "{shown}"
        );
    }
}
