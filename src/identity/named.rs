//! Claims by the names that the settings give them.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Where issuers put scopes, in the order in which a JWT is searched for them: OAuth 2.0 (RFC
/// 9068, section 2.2.3), then what Okta and Microsoft write, then Auth0.
const SCOPES: [&str; 3] = ["scope", "scp", "permissions"];

/// The claims of a JWT that have no name of their own here. Each name comes once (RFC 7519,
/// section 4).
#[derive(Debug, Default)]
pub(super) struct Named(Map<String, Value>);

impl Named {
    /// The text that stands under `name`.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        find(&self.0, name)?.as_str()
    }

    /// The scopes under `name`, or else under the first usual name that is there: words with
    /// spaces between them, or a list of such. `None` where there are none, or they are neither.
    pub(super) fn scopes(&self, name: Option<&str>) -> Option<Vec<&str>> {
        let usual = || SCOPES.iter().find_map(|usual| self.0.get(*usual));
        let found = match name {
            Some(name) => find(&self.0, name),
            None => usual(),
        };
        match found? {
            Value::String(words) => Some(words.split_ascii_whitespace().collect()),
            Value::Array(lists) => {
                let lists: Option<Vec<_>> = lists.iter().map(Value::as_str).collect();
                Some(
                    (lists?.into_iter())
                        .flat_map(str::split_ascii_whitespace)
                        .collect(),
                )
            }
            _ => None,
        }
    }
}

/// What stands under a name in which dots may lead into an object: `realm_access.roles`. A claim
/// whose own name has the dots goes first: `https://example.com/tenant`.
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        name.match_indices('.').find_map(|(dot, _)| {
            let (outer, inner) = (name.get(..dot)?, name.get(dot + 1..)?);
            find(claims.get(outer)?.as_object()?, inner)
        })
    })
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;

        impl<'de> Visitor<'de> for Once {
            type Value = Named;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut claims: A) -> Result<Named, A::Error> {
                let mut named = Map::new();
                while let Some((name, value)) = claims.next_entry::<String, Value>()? {
                    if named.insert(name, value).is_some() {
                        return Err(A::Error::custom("a claim comes twice"));
                    }
                }
                Ok(Named(named))
            }
        }

        deserializer.deserialize_map(Once)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(claims: Value) -> Named {
        serde_json::from_value(claims).expect("claims")
    }

    #[test]
    fn scopes_stand_where_issuers_put_them() {
        for (claims, name, scopes) in [
            (json!({"scope": "a  b"}), None, Some(vec!["a", "b"])),
            (
                json!({"scope": ["a", "b c"]}),
                None,
                Some(vec!["a", "b", "c"]),
            ),
            (json!({"scp": ["a"]}), None, Some(vec!["a"])),
            (json!({"permissions": ["a"]}), None, Some(vec!["a"])),
            // One of them is meant, never all.
            (
                json!({"scope": "a", "permissions": ["b"]}),
                None,
                Some(vec!["a"]),
            ),
            (
                json!({"scope": "a", "permissions": ["b"]}),
                Some("permissions"),
                Some(vec!["b"]),
            ),
            (
                json!({"realm_access": {"roles": ["a"]}}),
                Some("realm_access.roles"),
                Some(vec!["a"]),
            ),
            (
                json!({"https://x.example/scope": "a"}),
                Some("https://x.example/scope"),
                Some(vec!["a"]),
            ),
            (
                json!({"a.b": {"c.d": "e"}}),
                Some("a.b.c.d"),
                Some(vec!["e"]),
            ),
            (json!({"scope": "a"}), Some("roles"), None),
            (
                json!({"roles": {"deep": "a"}}),
                Some("roles.deep.deeper"),
                None,
            ),
            (json!({"scope": 7}), None, None),
            (json!({"scope": ["a", 7]}), None, None),
            (json!({"scope": null, "scp": "a"}), None, None),
            (json!({}), None, None),
        ] {
            let found = named(claims.clone());
            assert_eq!(found.scopes(name), scopes, "{name:?} in {claims}");
        }
    }

    #[test]
    fn a_claim_comes_once() {
        assert!(serde_json::from_str::<Named>(r#"{"tenant":"a","tenant":"b"}"#).is_err());
    }
}
