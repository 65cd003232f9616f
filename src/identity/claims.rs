//! The claims of a JWT, and the rights that they grant.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer};

use super::other_claims::OtherClaims;
use crate::domain::audit::sanitize;
use crate::domain::prefix::PathPrefix;
use crate::domain::principal::Scope;

/// The largest accepted difference between the clocks of the issuer and of the broker.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// The rights of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The tenant that the credential names. It has not been checked that this tenant exists.
    pub tenant: String,
    /// The scopes of the credential that the broker knows.
    pub scopes: Vec<Scope>,
    /// The folder that the credential is restricted to.
    pub prefix: Option<PathPrefix>,
    /// The size in bytes of the largest object that may be uploaded.
    pub max_size: Option<u64>,
    /// The time from which on the credential is rejected.
    pub ends_at: DateTime<Utc>,
    /// The subject of the credential, if it has one: one short line.
    pub subject: Option<String>,
}

/// The claims that the broker reads. It ignores all others.
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
    /// All other claims. The tenant and the scopes are among them, under configured names.
    #[serde(flatten)]
    others: OtherClaims,
}

/// The claims that a JWT must have, and the names of the claims with tenant and scopes.
#[derive(Clone, Debug, Default)]
pub(super) struct Requirements {
    /// The required `iss`. If it is not set, any is accepted.
    pub(super) issuer: Option<String>,
    /// The required value in `aud`. If it is not set, the JWT must not have an `aud`.
    pub(super) audience: Option<String>,
    /// The name of the claim with the tenant.
    pub(super) tenant: String,
    /// The name of the claim with the scopes, if it is not one of the usual names.
    pub(super) scopes: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }
}

impl Claims {
    /// The rights that these claims grant at `now`. `None` if a claim is invalid or does not meet
    /// the requirements.
    pub(super) fn grant(self, required: &Requirements, now: DateTime<Utc>) -> Option<Grant> {
        let (issuer, audience) = (required.issuer.as_deref(), required.audience.as_deref());
        let ends_at = self.exp.checked_add_signed(LEEWAY)?;
        let is_active = self.nbf.is_none_or(|nbf| nbf <= now + LEEWAY);
        if ends_at <= now || !is_active {
            return None;
        }
        if issuer.is_some() && self.iss.as_deref() != issuer {
            return None;
        }
        let is_for_broker = match (audience, &self.aud) {
            (Some(name), Some(aud)) => aud.contains(name),
            (None, None) => true,
            // It is for another audience (RFC 7519, section 4.1.3), or for none.
            (None, Some(_)) | (Some(_), None) => false,
        };
        if !is_for_broker {
            return None;
        }
        let scopes = self.others.scopes(required.scopes.as_deref())?.into_iter();
        Some(Grant {
            tenant: self.others.text(&required.tenant)?.to_owned(),
            // An issuer may also grant scopes of other services.
            scopes: scopes.filter_map(|name| name.parse().ok()).collect(),
            prefix: match self.path_prefix.as_deref() {
                // An empty prefix is not a folder. Accepting it would grant access to all folders.
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

/// Deserializes a claim that must be a string if it is present; `null` is not a string.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

/// Deserializes a time: seconds since 1970, which may have a fraction (RFC 7519, section 2).
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?.to_string();
    let seconds = number
        .split('.')
        .next()
        .and_then(|whole| whole.parse().ok());
    seconds
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or_else(|| serde::de::Error::custom("not a date"))
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

    /// The rights that valid claims with these changes grant. `null` removes a claim.
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
        let required = Requirements {
            issuer: Some("me".into()),
            audience: Some("you".into()),
            tenant: "tenant".into(),
            scopes: None,
        };
        claims.grant(&required, now)
    }

    #[test]
    fn valid_claims_grant_their_values() {
        let granted = grant(json!({"path_prefix": "/in", "max_size": 9})).unwrap();
        assert_eq!(granted.tenant, "acme");
        assert_eq!(granted.scopes, [Scope::UploadsWrite]);
        assert_eq!(granted.prefix.unwrap().as_str(), "/in/");
        assert_eq!(granted.max_size, Some(9));
        assert_eq!(granted.ends_at.timestamp(), NOW + 90);
    }

    #[test]
    fn leeway_is_30_seconds_in_both_directions() {
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
    fn missing_or_invalid_claims_grant_nothing() {
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
