//! The metadata of a file, in the two forms in which Uppy sends them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::http::extract::query::decode;
use crate::http::problem::Problem;

/// Reads `metadata[name]=value` of a query string.
pub fn of_query(query: &str) -> Result<BTreeMap<String, String>, Problem> {
    let mut metadata = BTreeMap::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).unwrap_or_default();
        let inner = name.strip_prefix("metadata[");
        let Some(inner) = inner.and_then(|name| name.strip_suffix(']')) else {
            continue;
        };
        let value = decode(value);
        let value =
            value.ok_or_else(|| Problem::field(&format!("/metadata/{inner}"), "is not UTF-8"))?;
        metadata.insert(inner.to_owned(), value);
    }
    Ok(metadata)
}

/// Converts the values of a JSON object to text. Those that are null are left out.
pub fn of_json(metadata: Map<String, Value>) -> BTreeMap<String, String> {
    let text = |value: Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    (metadata.into_iter())
        .filter_map(|(name, value)| Some((name, text(value)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_of_client_is_read() {
        let query = "filename=a+b+%C3%A9.txt&type=text%2Fplain&metadata%5Bdataset%5D=ds+1&metadata[x]=1&metadata%5Bname%5D=a+b+%C3%A9.txt&other[y]=2";
        let found = of_query(query).expect("metadata");
        let found: Vec<_> = (found.iter())
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let expected = [("dataset", "ds 1"), ("name", "a b é.txt"), ("x", "1")];
        assert_eq!(found, expected);
        assert!(of_query("metadata[x]=%FF").is_err());
    }
}
