//! The one table of problem codes: status, title and explanation.
//!
//! `GET /problems/{code}` shows an entry. The OpenAPI document is made from the same table.

use actix_web::http::StatusCode;

use super::refusals;
use crate::domain::refusal::Code;

/// The kind of a problem. Each kind has its own code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A domain rule rejected the request.
    Refused(Code),
    /// The body is not valid JSON.
    InvalidJson,
    /// The request has no valid credential.
    Unauthenticated,
    /// The credential lacks a required scope.
    InsufficientScope,
    /// No route matches the path.
    NotFound,
    /// The route exists, but not with this method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body exceeds the size limit.
    PayloadTooLarge,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The caller exceeded its rate limit.
    RateLimited,
    /// A fault of the broker itself.
    InternalError,
    /// A dependency does not answer.
    ServiceUnavailable,
    /// The broker has too many requests in flight.
    Overloaded,
}

/// The row of the table for a [`Kind`].
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The HTTP status of the response.
    pub status: StatusCode,
    /// The stable name: the value of `code`, and the last segment of `type`.
    pub code: &'static str,
    /// A sentence that is the same for every occurrence.
    pub title: &'static str,
    /// For people: why it happens and how to resolve it.
    pub explanation: &'static str,
}

impl From<Code> for Kind {
    fn from(code: Code) -> Self {
        Self::Refused(code)
    }
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 34] = [
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
        Self::Refused(Code::JobClaimed),
        Self::Refused(Code::LeaseLost),
        Self::Refused(Code::OutputMissing),
        Self::Refused(Code::TextMissing),
        Self::Refused(Code::TooManyStreams),
        Self::Refused(Code::ProcessingFailed),
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

    /// Returns the kind with this code, if there is one.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.entry().code == code)
    }

    /// Returns the kind for an HTTP status, for responses that the framework makes without a body.
    pub fn from_status(status: StatusCode) -> Self {
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

    /// Whether every request of this kind may succeed later, without a change by the client.
    pub const fn is_temporary(self) -> bool {
        matches!(
            self,
            Self::ServiceUnavailable | Self::Overloaded | Self::RateLimited
        )
    }

    /// Returns the row of the table.
    pub fn entry(self) -> Entry {
        let (status, code, title, explanation) = match self {
            Self::Refused(code) => refusals::row(code),
            Self::InvalidJson => (
                400,
                "invalid-json",
                "The body is not valid JSON",
                "The body could not be parsed as JSON (RFC 8259). `detail` names the line and the column. A body with an invalid field is `invalid-request` instead.",
            ),
            Self::Unauthenticated => (
                401,
                "unauthenticated",
                "A valid credential is required",
                "Send `Authorization: Bearer …` with an API key, a JWT of the broker's issuer or an upload token. The response is the same for a missing, an unknown, an expired and a revoked credential, and for a credential of a disabled tenant.",
            ),
            Self::InsufficientScope => (
                403,
                "insufficient-scope",
                "The credential lacks a required scope",
                "The credential is valid, but it does not have the scope that `detail` names. Use a credential with that scope.",
            ),
            Self::NotFound => (
                404,
                "not-found",
                "The route does not exist",
                "No route matches this path. `/docs` lists all routes.",
            ),
            Self::MethodNotAllowed => (
                405,
                "method-not-allowed",
                "The method is not allowed",
                "The route exists, but not with this method. The `Allow` header lists its methods.",
            ),
            Self::RequestTimeout => (
                408,
                "request-timeout",
                "The body did not arrive in time",
                "The body of the request took too long to arrive. Send it again.",
            ),
            Self::PayloadTooLarge => (
                413,
                "payload-too-large",
                "The body is too large",
                "Requests to the broker are small JSON documents. Send the bytes of a dataset to the URL in `upload`, not to the broker.",
            ),
            Self::UnsupportedMediaType => (
                415,
                "unsupported-media-type",
                "The body must be application/json",
                "Send `Content-Type: application/json`, without a `Content-Encoding`.",
            ),
            Self::RateLimited => (
                429,
                "rate-limited",
                "Too many requests",
                "The credential or the client address exceeded its rate limit; `detail` names which. `RateLimit-Policy` has the limit, `RateLimit` the remaining requests. The request was not processed. Send it again after `Retry-After` seconds.",
            ),
            Self::InternalError => (
                500,
                "internal-error",
                "Internal error",
                "The broker itself failed. Its log has the cause under `request_id`. It is safe to send a GET or an acknowledge again.",
            ),
            Self::ServiceUnavailable => (
                503,
                "service-unavailable",
                "A service that the broker depends on is not available",
                "Postgres, S3 or the token issuer does not answer, S3 refuses a request of the broker, or other work must finish first; `detail` says which. No data is lost. Send the request again after `Retry-After` seconds. A refusal by S3 remains until an operator changes the settings, the permissions or the store; the log has the reason.",
            ),
            Self::Overloaded => (
                503,
                "overloaded",
                "The broker is overloaded",
                "Too many requests are in flight, or no database connection became free in time. No data is lost. Send the request again after `Retry-After` seconds, not sooner.",
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
    fn from_code_returns_kind_with_that_code() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.entry().code), Some(kind));
        }
    }
}
