//! Writes the body of a problem: as JSON, or as an error of S3 on the routes that answer in its XML.

use super::body::Body;
use super::catalogue::Kind;
use super::s3_error;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Returns the media type and the text.
pub(super) fn write(kind: Kind, body: &Body) -> (&'static str, Vec<u8>) {
    match s3_error::is_for(&body.instance) {
        true => (
            s3_error::MEDIA_TYPE,
            s3_error::document(kind, body).into_bytes(),
        ),
        false => (MEDIA_TYPE, serde_json::to_vec(body).unwrap_or_default()),
    }
}
