//! The claims whose names are configured.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The usual names of the claim with the scopes, in the order in which they are tried: OAuth 2.0
/// (RFC 9068, section 2.2.3), Okta and Microsoft, Auth0.
const SCOPES: [&str; 3] = ["scope", "scp", "permissions"];

/// The claims of a JWT other than those with a fixed name. Names are unique (RFC 7519, section 4).
#[derive(Debug, Default)]
pub(super) struct OtherClaims(Map<String, Value>);

impl OtherClaims {
    /// The value of the claim `name`, if it is a string.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        find(&self.0, name)?.as_str()
    }

    /// The scopes in the claim `name`, or, if no name is given, in the first usual claim that is
    /// present. The claim may be a string with spaces between the scopes, or an array of such
    /// strings. `None` if there is no such claim, or if it has another type.
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

/// Finds a claim by a name in which dots may lead into nested objects, such as
/// `realm_access.roles`. A claim whose own name contains the dots has precedence, such as
/// `https://example.com/tenant`.
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        name.match_indices('.').find_map(|(dot, _)| {
            let (outer, inner) = (name.get(..dot)?, name.get(dot + 1..)?);
            find(claims.get(outer)?.as_object()?, inner)
        })
    })
}

impl<'de> Deserialize<'de> for OtherClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UniqueNames;

        impl<'de> Visitor<'de> for UniqueNames {
            type Value = OtherClaims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut claims: A) -> Result<OtherClaims, A::Error> {
                let mut found = Map::new();
                while let Some((name, value)) = claims.next_entry::<String, Value>()? {
                    if found.insert(name, value).is_some() {
                        return Err(A::Error::custom("a claim is repeated"));
                    }
                }
                Ok(OtherClaims(found))
            }
        }

        deserializer.deserialize_map(UniqueNames)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(claims: Value) -> OtherClaims {
        serde_json::from_value(claims).expect("claims")
    }

    #[test]
    fn scopes_are_found_under_usual_and_configured_names() {
        for (claims, name, scopes) in [
            (json!({"scope": "a  b"}), None, Some(vec!["a", "b"])),
            (
                json!({"scope": ["a", "b c"]}),
                None,
                Some(vec!["a", "b", "c"]),
            ),
            (json!({"scp": ["a"]}), None, Some(vec!["a"])),
            (json!({"permissions": ["a"]}), None, Some(vec!["a"])),
            // Only the first of them is used.
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
            let found = parsed(claims.clone());
            assert_eq!(found.scopes(name), scopes, "{name:?} in {claims}");
        }
    }

    #[test]
    fn repeated_claim_is_rejected() {
        assert!(serde_json::from_str::<OtherClaims>(r#"{"tenant":"a","tenant":"b"}"#).is_err());
    }
}
