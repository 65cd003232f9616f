//! Problems as errors of S3, on the routes that answer in its XML.

use super::body::Body;
use super::catalogue::Kind;
use crate::domain::refusal::Code;
use crate::http::html::escape;

/// The start of the paths of these routes.
const PATHS: &str = "/s3/xml/";
/// The media type.
pub(super) const MEDIA_TYPE: &str = "application/xml";

/// Whether a request to this path is answered in XML.
pub(super) fn is_for(instance: &str) -> bool {
    instance.starts_with(PATHS)
}

/// Writes a problem as S3 writes its errors.
pub(super) fn document(kind: Kind, body: &Body) -> String {
    let members = [
        ("Code", code(kind)),
        ("Message", body.detail.as_str()),
        ("Resource", body.instance.as_str()),
        ("RequestId", body.request_id.as_str()),
    ];
    let members = members.map(|(name, value)| format!("<{name}>{}</{name}>", escape(value)));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>{}</Error>",
        members.concat()
    )
}

/// The code of S3 that comes closest.
fn code(kind: Kind) -> &'static str {
    match kind {
        Kind::Refused(code) => match code {
            Code::UploadNotFound | Code::InvalidStatus | Code::ObjectMissing => "NoSuchUpload",
            Code::PartsMissing | Code::ObjectMismatch => "InvalidPart",
            Code::SizeLimitExceeded => "EntityTooLarge",
            Code::DatasetExists => "PreconditionFailed",
            Code::QuotaExceeded | Code::OutsidePrefix | Code::TokenSpent => "AccessDenied",
            _ => "InvalidRequest",
        },
        Kind::InvalidJson => "MalformedXML",
        Kind::Unauthenticated | Kind::InsufficientScope => "AccessDenied",
        Kind::NotFound => "NoSuchKey",
        Kind::MethodNotAllowed => "MethodNotAllowed",
        Kind::RequestTimeout => "RequestTimeout",
        Kind::PayloadTooLarge => "EntityTooLarge",
        Kind::UnsupportedMediaType => "InvalidRequest",
        Kind::RateLimited | Kind::Overloaded => "SlowDown",
        Kind::ServiceUnavailable => "ServiceUnavailable",
        Kind::InternalError => "InternalError",
    }
}
