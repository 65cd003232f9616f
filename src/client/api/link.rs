//! URL paths, query strings, and the `Link` header that leads to the next page.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, LINK};
use serde::de::DeserializeOwned;

use super::client::{Api, Page};
use super::send::{Call, read};
use crate::client::error::{Error, Result};

/// Percent-encodes everything except the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const PATH: &AsciiSet = &SEGMENT.remove(b'/');

/// The URL path `/datasets/{path}`. The leading slash of `path` is optional.
///
/// # Errors
/// Fails on a segment `.` or `..`, which no dataset path has and which URL parsers resolve to
/// another path, and on two leading slashes, of which one would be lost.
pub fn dataset(path: &str) -> Result<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.starts_with('/') {
        return Err(Error::settings("a path must start with a single slash"));
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(Error::settings(
            "a path must not contain a segment `.` or `..`",
        ));
    }
    Ok(format!("/datasets/{}", utf8_percent_encode(path, PATH)))
}

/// A query string with its leading `?`.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let pair =
        |(name, value): &(&str, &str)| format!("{name}={}", utf8_percent_encode(value, SEGMENT));
    let pairs: Vec<_> = pairs.iter().map(pair).collect();
    format!("?{}", pairs.join("&"))
}

impl Api {
    /// Requests one page of a list: the first page, or the one that `next` of the previous page
    /// names.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        route: &str,
        first: &[(&str, &str)],
        next: Option<&str>,
    ) -> Result<Page<T>> {
        let query = next.map_or_else(|| query(first), str::to_owned);
        let response = self.send(&Call::get(format!("{route}{query}"))).await?;
        let next = next_query(response.headers());
        let items = read(response).await?;
        Ok(Page { items, next })
    }
}

/// The query string of the `rel="next"` link. Host and path of the link are ignored: the key is
/// only ever sent to the configured broker, and the broker may be deployed below a path prefix.
fn next_query(headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all(LINK).into_iter();
    links
        .filter_map(|value| value.to_str().ok())
        .find_map(|value| {
            let (target, rest) = value.strip_prefix('<')?.split_once('>')?;
            let query = target.find('?').and_then(|at| target.get(at..))?;
            rest.contains("rel=\"next\"").then(|| query.to_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dataset_path_is_percent_encoded_once_and_keeps_slashes() {
        let encoded = |path| dataset(path).expect(path);
        assert_eq!(encoded("/a b/100%+é"), "/datasets/a%20b/100%25%2B%C3%A9");
        assert_eq!(encoded("a?b#c"), "/datasets/a%3Fb%23c");
        assert_eq!(query(&[("prefix", "/a&b/")]), "?prefix=%2Fa%26b%2F");
    }

    #[test]
    fn dataset_rejects_path_with_dot_segments_or_double_slash() {
        for path in ["..", "/a/../b", "./b", "/a/.", "//a"] {
            assert!(dataset(path).is_err(), "{path}");
        }
        assert!(dataset("/a/..b/...").is_ok());
    }

    #[test]
    fn next_page_is_requested_from_the_configured_broker() {
        let mut headers = HeaderMap::new();
        let link = "<https://elsewhere.example/datasets?cursor=x>; rel=\"next\"";
        headers.insert(LINK, link.parse().expect("a value"));
        assert_eq!(next_query(&headers).as_deref(), Some("?cursor=x"));
        headers.insert(LINK, "<?cursor=x>; rel=\"prev\"".parse().expect("a value"));
        assert_eq!(next_query(&headers), None);
    }
}
