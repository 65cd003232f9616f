//! The one table of problem codes: status, title and explanation.
//!
//! `GET /problems/{code}` shows an entry; the OpenAPI document is filled from the same table.

use actix_web::http::StatusCode;

use super::refusals;
use crate::domain::refusal::Code;

/// What kind of problem it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The rules refused.
    Refused(Code),
    /// The body is no JSON.
    InvalidJson,
    /// No credential, or none that counts.
    Unauthenticated,
    /// The credential lacks a scope.
    InsufficientScope,
    /// No such route.
    NotFound,
    /// The route has other methods.
    MethodNotAllowed,
    /// The body did not come in time.
    RequestTimeout,
    /// The body is over the limit.
    PayloadTooLarge,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The caller calls too often.
    RateLimited,
    /// A fault of ours.
    InternalError,
    /// A dependency does not answer.
    ServiceUnavailable,
    /// More is asked of us than we can hold.
    Overloaded,
}

/// What the table says of a [`Kind`].
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The status of the answer.
    pub status: StatusCode,
    /// The stable name: the end of `type`, and `code`.
    pub code: &'static str,
    /// A sentence that is the same for every occurrence.
    pub title: &'static str,
    /// For people: why it happens and what helps.
    pub explanation: &'static str,
}

impl From<Code> for Kind {
    fn from(code: Code) -> Self {
        Self::Refused(code)
    }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 28] = [
        Self::Refused(Code::InvalidRequest),
        Self::Refused(Code::SizeLimitExceeded),
        Self::Refused(Code::ContentTypeNotAllowed),
        Self::Refused(Code::DatasetExists),
        Self::Refused(Code::ObjectMissing),
        Self::Refused(Code::PartsMissing),
        Self::Refused(Code::ObjectMismatch),
        Self::Refused(Code::InvalidStatus),
        Self::Refused(Code::DatasetDrifted),
        Self::Refused(Code::UploadNotFound),
        Self::Refused(Code::DatasetNotFound),
        Self::Refused(Code::IdempotencyKeyReused),
        Self::Refused(Code::QuotaExceeded),
        Self::Refused(Code::OutsidePrefix),
        Self::Refused(Code::TokenSpent),
        Self::Refused(Code::TokenTooWide),
        Self::InvalidJson,
        Self::Unauthenticated,
        Self::InsufficientScope,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::RateLimited,
        Self::InternalError,
        Self::ServiceUnavailable,
        Self::Overloaded,
    ];

    /// The kind with this code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.entry().code == code)
    }

    /// The kind that fits a bare status, for answers that the framework makes by itself.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthenticated,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited,
            StatusCode::SERVICE_UNAVAILABLE => Self::ServiceUnavailable,
            status if status.is_client_error() => Self::Refused(Code::InvalidRequest),
            _ => Self::InternalError,
        }
    }

    /// The row of the table.
    pub fn entry(self) -> Entry {
        let (status, code, title, explanation) = match self {
            Self::Refused(code) => refusals::row(code),
            Self::InvalidJson => (
                400,
                "invalid-json",
                "The body is not JSON",
                "The body could not be read as JSON (RFC 8259). `detail` names the line and the column. A body with a wrong field in it is `invalid-request` instead.",
            ),
            Self::Unauthenticated => (
                401,
                "unauthenticated",
                "A valid credential is needed",
                "Send `Authorization: Bearer …` with an API key, a JWT of the broker's issuer or an upload token. The answer is the same for a missing, an unknown, an expired and a revoked one, and for one of a tenant that is disabled.",
            ),
            Self::InsufficientScope => (
                403,
                "insufficient-scope",
                "The credential lacks a scope",
                "The credential is valid, but does not hold the scope that `detail` names. Ask for a key that does.",
            ),
            Self::NotFound => (
                404,
                "not-found",
                "There is no such route",
                "Nothing answers at this path. `/docs` lists every route.",
            ),
            Self::MethodNotAllowed => (
                405,
                "method-not-allowed",
                "The route has other methods",
                "The path exists, but not with this method. The `Allow` header lists those that it has.",
            ),
            Self::RequestTimeout => (
                408,
                "request-timeout",
                "The body did not come in time",
                "The body of the request took too long to arrive. Send it again.",
            ),
            Self::PayloadTooLarge => (
                413,
                "payload-too-large",
                "The body is too large",
                "Requests to the broker are small documents; the bytes of a dataset go straight to the URL in `upload`, not through the broker.",
            ),
            Self::UnsupportedMediaType => (
                415,
                "unsupported-media-type",
                "The body must be application/json",
                "Send `Content-Type: application/json`, without a Content-Encoding.",
            ),
            Self::RateLimited => (
                429,
                "rate-limited",
                "Too many requests",
                "The key or the address has made more requests than it may; `detail` names which. `RateLimit-Policy` tells the limit, `RateLimit` what is left of it. Nothing was done. Send the request again after `Retry-After` seconds.",
            ),
            Self::InternalError => (
                500,
                "internal-error",
                "Something went wrong on our side",
                "A fault of the broker. The log has its cause under `request_id`. It is safe to send a GET or an acknowledge again.",
            ),
            Self::ServiceUnavailable => (
                503,
                "service-unavailable",
                "A service behind the broker does not answer",
                "Postgres, S3 or the issuer of tokens does not answer, S3 refuses what the broker asks of it, or other work has to end first: `detail` says which. Nothing is lost. Send the request again after `Retry-After` seconds; a refusal stays until an operator changes the settings, the rights or the store, and the log has its reason.",
            ),
            Self::Overloaded => (
                503,
                "overloaded",
                "The broker has too much to do",
                "More requests are under way than the broker takes at once, or every connection to its database stayed in use. Nothing is lost. Send the request again after `Retry-After` seconds, and not sooner.",
            ),
        };
        Entry {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            title,
            explanation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_leads_to_its_own_entry() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of_code(kind.entry().code), Some(kind));
        }
    }
}
