//! Invented credentials: none is accepted, and none causes a fault.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use proptest::prelude::*;
use upload_broker::config::{Identity, Section as _};
use upload_broker::identity::jwt::{Jwt, Verified};
use upload_broker::identity::upload_token::{TokenKey, has_shape};

use super::text;

const SECRET: &str = "the secret of this test, it is long";

fn jwt() -> Jwt {
    let settings = BTreeMap::from([("BROKER_JWT_HS256_SECRET", SECRET)]);
    let identity = Identity::load(|name| settings.get(name).map(|text| (*text).to_owned()));
    let identity = identity.expect("settings without a fault");
    Jwt::new(&identity.jwt.expect("JWTs")).expect("a verifier")
}

/// A part of a JWT: JSON, almost JSON, or anything.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        text(),
        r#"\{"alg":"(none|HS256|HS512|RS256|)"(,"(typ|kid|crit|jwk)":("x"|null|7|\[\]|\{\}))?\}"#,
        r#"\{"exp":(1e999|-1|9999999999|"x"),"tenant":"default","scope":"admin"\}?"#,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn invented_jwt_is_rejected(parts in proptest::collection::vec(part(), 3), raw in any::<bool>()) {
        let encode = |part: &String| match raw {
            true => part.clone(),
            false => URL_SAFE_NO_PAD.encode(part),
        };
        let text = parts.iter().map(encode).collect::<Vec<_>>().join(".");
        let now = DateTime::from_timestamp(1_760_000_000, 0).expect("a time");
        prop_assert_eq!(jwt().verify(&text, now), Verified::Invalid);
    }

    #[test]
    fn invented_upload_token_is_rejected(payload in part(), mac in part(), raw in any::<bool>()) {
        let text = match raw {
            true => format!("ubt_{payload}.{mac}"),
            false => {
                let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
                format!("ubt_{}.{}", encode(&payload), encode(&mac))
            }
        };
        prop_assert!(has_shape(&text) || text.len() > 8192);
        prop_assert!(TokenKey::new(SECRET.as_bytes()).verify(&text).is_none());
    }
}
