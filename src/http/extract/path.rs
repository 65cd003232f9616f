//! Path parameters, percent-decoded exactly once from the raw path of the request.
//!
//! The framework decodes most of a path before it matches routes, but not `%2F`, `%25` and `%2B`.
//! Decoding its result a second time would turn `%2541` into `A`, so that the raw path is used
//! instead.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::domain::path::{DatasetPath, InvalidPath};
use crate::domain::refusal::Refusal;
use crate::http::problem::Problem;

/// The parameter `{id}` of `/uploads/{id}…`.
#[derive(Clone, Copy, Debug)]
pub struct UploadId(pub Uuid);

impl FromRequest for UploadId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().get("id").unwrap_or_default();
        ready(
            Uuid::try_parse(text)
                .map(Self)
                .map_err(|_| Problem::field("/id", "is not a UUID")),
        )
    }
}

/// The parameter `{path}` of `/datasets/{path}`: everything after the first segment, with its
/// slashes, but without the `/action/…` at the end of some routes.
#[derive(Clone, Debug)]
pub struct Dataset(pub DatasetPath);

impl FromRequest for Dataset {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let is_action = request
            .match_pattern()
            .is_some_and(|pattern| pattern.contains("}/action/"));
        ready(parse(request.uri().path(), is_action).map(Self))
    }
}

/// The upload or dataset that the path of a request names, for the audit trail.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The id of the upload.
    pub upload_id: Option<Uuid>,
    /// The path of the dataset.
    pub path: Option<String>,
}

/// Finds the upload or dataset that the raw path of a request names. `pattern` is that of its
/// route. The result is empty if the path does not name a valid id or path.
pub fn target_of(pattern: &str, raw: &str) -> Target {
    let mut segments = raw.splitn(3, '/').skip(1);
    let first = segments.next().unwrap_or_default();
    let first = percent_decode_str(first).decode_utf8().unwrap_or_default();
    match &*first {
        "uploads" if pattern.starts_with("/uploads/{id}") => Target {
            upload_id: (segments.next())
                .and_then(|rest| Uuid::try_parse(rest.split('/').next()?).ok()),
            path: None,
        },
        "datasets" if pattern.starts_with("/datasets/{path") => Target {
            upload_id: None,
            path: (parse(raw, pattern.contains("}/action/")).ok())
                .map(|path| path.as_str().to_owned()),
        },
        _ => Target::default(),
    }
}

fn parse(raw: &str, is_action: bool) -> Result<DatasetPath, Problem> {
    // In "/datasets/a/b", the first segment cannot contain a slash, not even an encoded one.
    let tail = raw.splitn(3, '/').nth(2).unwrap_or_default();
    let tail = if is_action {
        tail.rsplitn(3, '/').nth(2).unwrap_or_default()
    } else {
        tail
    };
    // `/datasets//a` could mean the path `/a`, or a key with a leading slash, which no path can
    // name. The path `/a` is written `/datasets/a` or `/datasets/%2Fa`.
    if tail.starts_with('/') {
        let reason = InvalidPath::EmptySegment;
        return Err(Refusal::path("/path", reason, tail).into());
    }
    let decoded = percent_decode_str(tail)
        .decode_utf8()
        .map_err(|_| Problem::field("/path", "is not UTF-8 after percent-decoding"))?;
    DatasetPath::parse(&decoded).map_err(|reason| Refusal::path("/path", reason, &decoded).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_decoded_exactly_once() {
        for (raw, path) in [
            ("/datasets/a/b.csv", "/a/b.csv"),
            ("/datasets/a%2Fb.csv", "/a/b.csv"),
            ("/datasets/%2Fa/b.csv", "/a/b.csv"),
            ("/datasets/a+b%2Bc%20d", "/a+b+c d"),
            ("/datasets/100%2525", "/100%25"),
            ("/datasets/%C3%A9", "/é"),
            ("/%64atasets/a", "/a"),
        ] {
            let parsed = parse(raw, false).unwrap_or_else(|problem| panic!("{raw}: {problem}"));
            assert_eq!(parsed.as_str(), path, "{raw}");
        }
        let action = parse("/datasets/a/b/action/download", true).expect("a path");
        assert_eq!(action.as_str(), "/a/b");
    }

    #[test]
    fn target_of_returns_valid_names_only() {
        let id = "01955114-3a40-7c3e-9d2b-8f1f5f0c2a11";
        let upload = target_of("/uploads/{id}/parts", &format!("/uploads/{id}/parts"));
        assert_eq!(upload.upload_id, id.parse().ok());
        let download = "/datasets/{path}/action/download";
        let dataset = target_of(download, "/datasets/a%20b/action/download");
        assert_eq!(dataset.path.as_deref(), Some("/a b"));
        for (pattern, raw) in [
            ("", "/datasets/a"),
            ("/uploads/{id}", "/uploads/secret"),
            ("/datasets/{path}", "/secret/datasets/a"),
            ("/datasets/{path}", "/datasets/a%00"),
        ] {
            assert_eq!(target_of(pattern, raw), Target::default(), "{raw}");
        }
    }

    #[test]
    fn parse_rejects_invalid_paths() {
        for raw in [
            "/datasets/",
            "/datasets/%FF",
            "/datasets/a%00b",
            "/datasets/a%2F%2E%2E/b",
            "/datasets/a%2Faction%2Fdownload",
            "/datasets/a//b",
            "/datasets//a",
            "/datasets//",
            "/datasets//%2Fa",
            "/datasets/%2F%2Fa",
        ] {
            let problem = parse(raw, false).expect_err(raw);
            assert_eq!(problem.body("/", "").errors[0].pointer, "/path", "{raw}");
        }
        assert!(parse("/datasets/action/download", true).is_err());
        assert!(parse("/datasets//a/action/download", true).is_err());
    }
}
