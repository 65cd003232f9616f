//! What a JWT claims, and what that grants.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer};

use super::named::Named;
use crate::domain::audit::sanitize;
use crate::domain::prefix::PathPrefix;
use crate::domain::principal::Scope;

/// How far the clocks of the issuer and of the broker may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// What a credential is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The tenant that it names; nobody has looked whether there is one.
    pub tenant: String,
    /// Those of its scopes that the broker knows.
    pub scopes: Vec<Scope>,
    /// The folder that it is confined to.
    pub prefix: Option<PathPrefix>,
    /// The largest object that it may bring, in bytes.
    pub max_size: Option<u64>,
    /// From when on it is refused.
    pub ends_at: DateTime<Utc>,
    /// Whom it was made for, where it says so: one short line.
    pub subject: Option<String>,
}

/// The claims that are looked at. Others are the issuer's own affair.
#[derive(Deserialize)]
pub(super) struct Claims {
    #[serde(deserialize_with = "date")]
    exp: DateTime<Utc>,
    #[serde(default, deserialize_with = "optional_date")]
    nbf: Option<DateTime<Utc>>,
    iss: Option<String>,
    aud: Option<Audience>,
    #[serde(default, deserialize_with = "text")]
    path_prefix: Option<String>,
    max_size: Option<u64>,
    sub: Option<String>,
    /// The tenant and the scopes are among them.
    #[serde(flatten)]
    named: Named,
}

/// What a JWT has to say to be believed, and where it says the rest.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    /// Its `iss`; any, where it is not set.
    pub(super) issuer: Option<String>,
    /// What its `aud` has to hold; not set, it must have none.
    pub(super) audience: Option<String>,
    /// The claim that names the tenant.
    pub(super) tenant: String,
    /// The claim that holds the scopes, where it is none of the usual ones.
    pub(super) scopes: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn holds(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }
}

impl Claims {
    /// What they grant at `now`; nothing where one of them does not hold.
    pub(super) fn grant(self, expected: &Expected, now: DateTime<Utc>) -> Option<Grant> {
        let (issuer, audience) = (expected.issuer.as_deref(), expected.audience.as_deref());
        let ends_at = self.exp.checked_add_signed(LEEWAY)?;
        let has_begun = self.nbf.is_none_or(|nbf| nbf <= now + LEEWAY);
        if ends_at <= now || !has_begun {
            return None;
        }
        if issuer.is_some() && self.iss.as_deref() != issuer {
            return None;
        }
        let is_for_us = match (audience, &self.aud) {
            (Some(name), Some(aud)) => aud.holds(name),
            (None, None) => true,
            // For somebody else, who has a name (RFC 7519, section 4.1.3), or for nobody.
            (None, Some(_)) | (Some(_), None) => false,
        };
        if !is_for_us {
            return None;
        }
        let scopes = self.named.scopes(expected.scopes.as_deref())?.into_iter();
        Some(Grant {
            tenant: self.named.text(&expected.tenant)?.to_owned(),
            // An issuer has scopes of other services too.
            scopes: scopes.filter_map(|name| name.parse().ok()).collect(),
            prefix: match self.path_prefix.as_deref() {
                // An issuer that has no folder to name would open all of them.
                Some("") => return None,
                Some(prefix) => PathPrefix::parse(prefix).ok()?,
                None => None,
            },
            max_size: self.max_size,
            ends_at,
            subject: self.sub.as_deref().map(sanitize),
        })
    }
}

/// A text, where the claim is there: `null` is none.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

/// Seconds since 1970, which may have a fraction (RFC 7519, section 2).
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?.to_string();
    let seconds = number
        .split('.')
        .next()
        .and_then(|whole| whole.parse().ok());
    seconds
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or_else(|| serde::de::Error::custom("no date"))
}

fn optional_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    date(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_760_000_000;

    /// What good claims with `changes` grant; `null` takes one away.
    fn grant(changes: Value) -> Option<Grant> {
        let mut claims = json!({
            "exp": NOW + 60, "iss": "me", "aud": ["you", "others"], "sub": "ada",
            "tenant": "acme", "scope": "openid uploads:write",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, v| !v.is_null());
        let claims: Claims = serde_json::from_value(claims).ok()?;
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let expected = Expected {
            issuer: Some("me".into()),
            audience: Some("you".into()),
            tenant: "tenant".into(),
            scopes: None,
        };
        claims.grant(&expected, now)
    }

    #[test]
    fn good_claims_grant_what_they_say() {
        let granted = grant(json!({"path_prefix": "/in", "max_size": 9})).unwrap();
        assert_eq!(granted.tenant, "acme");
        assert_eq!(granted.scopes, [Scope::UploadsWrite]);
        assert_eq!(granted.prefix.unwrap().as_str(), "/in/");
        assert_eq!(granted.max_size, Some(9));
        assert_eq!(granted.ends_at.timestamp(), NOW + 90);
    }

    #[test]
    fn the_leeway_is_half_a_minute_either_way() {
        for (changes, is_good) in [
            (json!({"exp": NOW - 29}), true),
            (json!({"exp": f64::from(1_760_000_000) - 28.5}), true),
            (json!({"exp": NOW - 30}), false),
            (json!({"nbf": NOW + 30}), true),
            (json!({"nbf": NOW + 31}), false),
        ] {
            assert_eq!(grant(changes.clone()).is_some(), is_good, "{changes}");
        }
    }

    #[test]
    fn a_claim_that_is_missing_or_wrong_grants_nothing() {
        for changes in [
            json!({"exp": null}),
            json!({"exp": "1760000060"}),
            json!({"exp": 1e300}),
            json!({"exp": i64::MAX}),
            json!({"nbf": "now"}),
            json!({"iss": null}),
            json!({"iss": "Me"}),
            json!({"aud": null}),
            json!({"aud": "yours"}),
            json!({"aud": []}),
            json!({"aud": ["others"]}),
            json!({"tenant": null}),
            json!({"tenant": ["acme"]}),
            json!({"scope": null}),
            json!({"scope": 7}),
            json!({"scope": ["uploads:write", 7]}),
            json!({"path_prefix": ""}),
            json!({"path_prefix": "/../"}),
            json!({"path_prefix": "//"}),
            json!({"max_size": -1}),
            json!({"max_size": "9"}),
        ] {
            assert_eq!(grant(changes.clone()), None, "{changes}");
        }
        let whole = grant(json!({"path_prefix": "/"})).unwrap();
        assert_eq!(whole.prefix, None);
        assert!(grant(json!({"aud": "you"})).is_some());
        let list = json!({"scope": ["uploads:write", "openid"]});
        assert_eq!(grant(list).unwrap().scopes, [Scope::UploadsWrite]);
        assert_eq!(grant(json!({"scope": "openid"})).unwrap().scopes, []);
    }
}
