//! Paths, queries and the `Link` to the next page.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, LINK};
use serde::de::DeserializeOwned;

use super::send::{Call, read};
use super::{Api, Page};
use crate::client::error::{Error, Result};

/// What RFC 3986 leaves unreserved; everything else is encoded. A slash in a path stays one.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const PATH: &AsciiSet = &SEGMENT.remove(b'/');

/// `/datasets/{path}`, with or without the slash that a path begins with.
///
/// # Errors
/// A segment `.` or `..`: no dataset has one, and a URL with one leads to another path. Two slashes
/// at the beginning: of those one could be taken for the path's own.
pub fn dataset(path: &str) -> Result<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.starts_with('/') {
        return Err(Error::settings(
            "a path begins with one slash, not with two",
        ));
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(Error::settings("a path has no segment `.` or `..`"));
    }
    Ok(format!("/datasets/{}", utf8_percent_encode(path, PATH)))
}

/// A query, with its `?`.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let pair =
        |(name, value): &(&str, &str)| format!("{name}={}", utf8_percent_encode(value, SEGMENT));
    let pairs: Vec<_> = pairs.iter().map(pair).collect();
    format!("?{}", pairs.join("&"))
}

impl Api {
    /// One page of a list: the first one, or what `next` of the page before asks for.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        route: &str,
        first: &[(&str, &str)],
        next: Option<&str>,
    ) -> Result<Page<T>> {
        let query = next.map_or_else(|| query(first), str::to_owned);
        let response = self.send(&Call::get(format!("{route}{query}"))).await?;
        let next = next_of(response.headers());
        let items = read(response).await?;
        Ok(Page { items, next })
    }
}

/// The query of `rel="next"`. Only the query is taken: the key stays with the broker that we know,
/// and a broker below a path of its own works as well.
fn next_of(headers: &HeaderMap) -> Option<String> {
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
    fn a_path_is_encoded_once_and_keeps_its_slashes() {
        let encoded = |path| dataset(path).expect(path);
        assert_eq!(encoded("/a b/100%+é"), "/datasets/a%20b/100%25%2B%C3%A9");
        assert_eq!(encoded("a?b#c"), "/datasets/a%3Fb%23c");
        assert_eq!(query(&[("prefix", "/a&b/")]), "?prefix=%2Fa%26b%2F");
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        for path in ["..", "/a/../b", "./b", "/a/.", "//a"] {
            assert!(dataset(path).is_err(), "{path}");
        }
        assert!(dataset("/a/..b/...").is_ok());
    }

    #[test]
    fn the_next_page_is_asked_of_the_same_broker() {
        let mut headers = HeaderMap::new();
        let link = "<https://elsewhere.example/datasets?cursor=x>; rel=\"next\"";
        headers.insert(LINK, link.parse().expect("a value"));
        assert_eq!(next_of(&headers).as_deref(), Some("?cursor=x"));
        headers.insert(LINK, "<?cursor=x>; rel=\"prev\"".parse().expect("a value"));
        assert_eq!(next_of(&headers), None);
    }
}
