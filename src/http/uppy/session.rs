//! The upload that a route of Uppy names: S3's upload id in the path, and the key in the query.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode_str;

use crate::http::extract::query::decode;
use crate::http::problem::Problem;
use crate::usecases::uppy::UppySession;

/// An example of a key.
pub const KEY: &str = "in/01955114-3a40-7c3e-9d2b-8f1f5f0c2a11-photo.jpg";

/// The upload that a request names. It may not exist.
#[derive(Clone, Debug)]
pub struct Session(pub UppySession);

impl FromRequest for Session {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.uri().path(), request.query_string()))
    }
}

/// Decodes the raw path exactly once: the upload id is one segment, which may contain `%2F`.
fn parse(path: &str, query: &str) -> Result<Session, Problem> {
    let s3_upload_id = percent_decode_str(path.split('/').nth(3).unwrap_or_default())
        .decode_utf8()
        .map_err(|_| Problem::field("/uploadId", "is not UTF-8 after percent-decoding"))?;
    let key = parameter(query, "key")?.filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| Problem::field("/key", "is missing: the key of the object"))?;
    if s3_upload_id.contains('\0') || key.contains('\0') {
        return Err(Problem::field("/key", "has a NUL character"));
    }
    Ok(Session(UppySession {
        s3_upload_id: s3_upload_id.into_owned(),
        key,
    }))
}

/// The first value of a query parameter. Others are ignored, as Companion ignores them.
pub fn parameter(query: &str, name: &str) -> Result<Option<String>, Problem> {
    for pair in query.split('&') {
        let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decode(found).as_deref() == Some(name) {
            let value = decode(value);
            let value = value.ok_or_else(|| Problem::field(&format!("/{name}"), "is not UTF-8"))?;
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_is_decoded_once() {
        for (path, query, id, key) in [
            (
                "/s3/multipart/UP%2F%2B%3D1",
                "key=a%2Fb+c.bin",
                "UP/+=1",
                "a/b c.bin",
            ),
            (
                "/s3/multipart/UP%2F%2B%3D1/7",
                "key=a%2Fb%20c%2B.bin",
                "UP/+=1",
                "a/b c+.bin",
            ),
            (
                "/s3/multipart/a%2525/complete",
                "x=1&key=%C3%A9",
                "a%25",
                "é",
            ),
        ] {
            let Session(found) = parse(path, query).expect(path);
            assert_eq!((found.s3_upload_id.as_str(), found.key.as_str()), (id, key));
        }
        for (path, query) in [
            ("/s3/multipart/a", ""),
            ("/s3/multipart/a", "key="),
            ("/s3/multipart/a", "key=%FF"),
            ("/s3/multipart/%FF", "key=a"),
            ("/s3/multipart/%00", "key=a"),
        ] {
            assert!(parse(path, query).is_err(), "{path}?{query}");
        }
    }
}
