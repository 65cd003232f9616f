//! Problems: every error response has a body in this form (RFC 9457).
//!
//! A problem has a public part, which is sent to the client, and a private cause, which is only
//! logged, once, by `middleware::edge`.

use std::error::Error as StdError;
use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

pub mod body;
pub mod catalogue;
pub mod detached;
pub mod page;
mod refusals;
mod s3_error;
mod text;

use body::Body;
use catalogue::Kind;

use crate::domain::principal::Scope;
use crate::domain::refusal::Refusal;
use crate::usecases::{Error, Outage};

pub use text::MEDIA_TYPE;

/// How long a client should wait before it retries, in seconds.
const RETRY_AFTER_SECONDS: u64 = 2;

/// The private cause of a problem.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// An error response.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    refusal: Option<Box<Refusal>>,
    scope: Option<Scope>,
    retry_after: Option<u64>,
    cause: Option<Cause>,
}

impl Problem {
    /// Creates a problem of this kind. `detail` is sent to the client.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            refusal: None,
            scope: None,
            retry_after: None,
            cause: None,
        }
    }

    /// Creates an `invalid-request` problem for one field or parameter. `pointer` is a JSON pointer
    /// into the body, or `/` and the name of a parameter.
    pub fn field(pointer: &str, detail: impl Into<String>) -> Self {
        Refusal::field(pointer, detail).into()
    }

    /// Puts `prefix` in front of all pointers, for a problem in one part of the body.
    pub fn within(mut self, prefix: &str) -> Self {
        if let Some(refusal) = self.refusal.take() {
            let refusal = refusal.under_pointer(prefix);
            self.detail.clone_from(&refusal.detail);
            self.refusal = Some(Box::new(refusal));
        }
        self
    }

    /// Creates the problem for a request without a valid credential. It never says the reason.
    pub fn unauthenticated() -> Self {
        Self::new(
            Kind::Unauthenticated,
            "Send Authorization: Bearer with a valid API key or token.",
        )
    }

    /// Creates the problem for a valid credential without `scope`.
    pub fn missing_scope(scope: Scope) -> Self {
        Self {
            scope: Some(scope),
            ..Self::new(
                Kind::InsufficientScope,
                format!("This operation requires the scope {scope}."),
            )
        }
    }

    /// Creates the problem for a fault of the broker itself. The cause is only logged.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Kind::InternalError,
                "The broker failed; its log has the cause under this request id.",
            )
        }
    }

    /// Creates the problem for a `dependency` that does not answer. The cause is only logged.
    pub fn unavailable(dependency: &str, cause: impl Into<Cause>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Kind::ServiceUnavailable,
                format!("{dependency} does not answer; try again in {RETRY_AFTER_SECONDS} s."),
            )
        }
    }

    /// Creates the problem for a batch entry that was not tried, as `dependency` failed before.
    pub fn not_tried(dependency: &str) -> Self {
        Self::new(
            Kind::ServiceUnavailable,
            format!(
                "{dependency} does not answer, so this was not tried; try again in {RETRY_AFTER_SECONDS} s."
            ),
        )
    }

    /// Creates the problem for a `dependency` that refuses a call. The cause is only logged.
    pub fn refused_by(dependency: &str, cause: impl Into<Cause>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Kind::ServiceUnavailable,
                format!(
                    "{dependency} refuses this, or cannot do it; the log has the reason under this request id. A retry succeeds only after an operator has changed the settings, the permissions or the store."
                ),
            )
        }
    }

    /// Creates the problem for a `dependency` whose response cannot be parsed. The cause is only
    /// logged.
    pub fn unreadable(dependency: &str, cause: impl Into<Cause>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Kind::ServiceUnavailable,
                format!(
                    "{dependency} sent a response that cannot be read; the log has the details under this request id. Try again in {RETRY_AFTER_SECONDS} s."
                ),
            )
        }
    }

    /// Creates the problem for an overloaded component, such as `The broker`.
    pub fn overloaded(component: &str) -> Self {
        Self::new(
            Kind::Overloaded,
            format!("{component} is overloaded; try again in {RETRY_AFTER_SECONDS} s."),
        )
    }

    /// Creates the problem for a request that must wait until other work has finished.
    pub fn busy(detail: &str) -> Self {
        Self::new(
            Kind::ServiceUnavailable,
            format!("{detail}; try again in {RETRY_AFTER_SECONDS} s."),
        )
    }

    /// Creates the problem for a caller over the rate limit of its `key` or `address`.
    pub fn rate_limited(limit: &str, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(
                Kind::RateLimited,
                format!("Too many requests from this {limit}; try again in {seconds} s."),
            )
        }
    }

    /// The kind of the problem.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the request named a path outside of what the caller may access.
    pub fn is_escape_attempt(&self) -> bool {
        (self.refusal.as_ref()).is_some_and(|refusal| refusal.is_escape_attempt)
    }

    /// The path outside of what the caller may access, if the body of the request named it.
    pub fn forbidden_path(&self) -> Option<&str> {
        let mut errors = self.refusal.iter().flat_map(|refusal| &refusal.errors);
        errors.find_map(|error| error.path.as_deref())
    }

    /// The chain of causes for the log, outermost first. `None` if the client caused the problem.
    pub fn cause_chain(&self) -> Option<String> {
        let cause = self.cause.as_ref()?;
        let mut chain = cause.to_string();
        let mut next = cause.source();
        while let Some(source) = next {
            // Many errors include the message of their source in their own.
            let message = source.to_string();
            if !chain.ends_with(&message) {
                chain.push_str(": ");
                chain.push_str(&message);
            }
            next = source.source();
        }
        Some(chain)
    }

    /// The JSON body for the request to the path `instance`.
    pub fn body(&self, instance: &str, request_id: &str) -> Body {
        let body = Body::new(self.kind, &self.detail, instance, request_id);
        match &self.refusal {
            Some(refusal) => body.with(refusal),
            None => body,
        }
    }

    /// The whole response to the request to `instance`, a path without its query.
    pub fn respond(&self, instance: &str, request_id: &str) -> HttpResponse {
        let mut response = HttpResponse::build(self.kind.entry().status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        let usual = self.kind.is_temporary().then_some(RETRY_AFTER_SECONDS);
        if let Some(seconds) = self.retry_after.or(usual) {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        match self.kind {
            // RFC 6750, section 3.
            Kind::Unauthenticated => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            // RFC 9110, section 15.5.16.
            Kind::UnsupportedMediaType => {
                response.insert_header((header::ACCEPT_ENCODING, "identity"));
            }
            Kind::InsufficientScope => {
                let scope = self.scope.map_or("", Scope::as_str);
                let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
                response.insert_header((header::WWW_AUTHENTICATE, challenge));
            }
            _ => {}
        }
        let (media_type, body) = text::write(self.kind, &self.body(instance, request_id));
        response.content_type(media_type).body(body)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal: Some(Box::new(refusal.clone())),
            retry_after: refusal.retry_after.map(Into::into),
            ..Self::new(refusal.code.into(), refusal.detail)
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => (*refusal).into(),
            Error::Unavailable {
                dependency,
                outage,
                cause,
            } => {
                let dependency = dependency.to_string();
                match outage {
                    Outage::NoAnswer => Self::unavailable(&dependency, cause),
                    Outage::Refuses => Self::refused_by(&dependency, cause),
                    Outage::Unreadable => Self::unreadable(&dependency, cause),
                }
            }
            Error::Overloaded(dependency) => Self::overloaded(&dependency.to_string()),
            Error::Busy(detail) => Self::busy(&detail),
            Error::Internal(cause) => Self::internal(cause),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.entry().code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.entry().status
    }

    /// A response without path and request id. `middleware::edge` replaces it with a complete one.
    fn error_response(&self) -> HttpResponse {
        self.respond("", "")
    }
}
