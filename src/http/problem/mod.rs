//! Problems: the only shape of an error body (RFC 9457).
//!
//! The public half travels to the client; the cause stays here and is logged once, by the edge.

use std::error::Error as StdError;
use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

pub mod body;
pub mod catalogue;
pub mod lost;
pub mod page;
mod refusals;

use body::Body;
use catalogue::Kind;

use crate::domain::principal::Scope;
use crate::domain::refusal::Refusal;
use crate::usecases::{Error, Outage};

/// `application/problem+json`.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// How long a client should wait before it tries again, in seconds.
const RETRY_AFTER_SECONDS: u64 = 2;

/// The private reason of a problem.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// An answer that is not a success.
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
    /// A problem of this kind; `detail` is public.
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

    /// One field or parameter is not as it must be.
    pub fn field(pointer: &str, detail: impl Into<String>) -> Self {
        Refusal::field(pointer, detail).into()
    }

    /// The same problem of a part of the body: its pointers begin with `prefix`.
    pub fn within(mut self, prefix: &str) -> Self {
        if let Some(refusal) = self.refusal.take() {
            let refusal = refusal.under_pointer(prefix);
            self.detail.clone_from(&refusal.detail);
            self.refusal = Some(Box::new(refusal));
        }
        self
    }

    /// No credential, or none that counts; never says which.
    pub fn unauthenticated() -> Self {
        Self::new(
            Kind::Unauthenticated,
            "Send Authorization: Bearer with a valid API key or token.",
        )
    }

    /// The credential is valid but does not hold `scope`.
    pub fn lacks(scope: Scope) -> Self {
        Self {
            scope: Some(scope),
            ..Self::new(
                Kind::InsufficientScope,
                format!("This needs the scope {scope}."),
            )
        }
    }

    /// A fault of ours. The cause goes to the log only.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Kind::InternalError,
                "Something went wrong on our side; it is in the log under this request id.",
            )
        }
    }

    /// `dependency` does not answer. The cause goes to the log only.
    pub fn unavailable(dependency: &str, cause: impl Into<Cause>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Kind::ServiceUnavailable,
                format!("{dependency} does not answer; try again in {RETRY_AFTER_SECONDS} s."),
            )
        }
    }

    /// Not even tried, because `dependency` failed for what came before it.
    pub fn not_tried(dependency: &str) -> Self {
        Self::new(
            Kind::ServiceUnavailable,
            format!(
                "{dependency} does not answer, so this was not tried; try again in {RETRY_AFTER_SECONDS} s."
            ),
        )
    }

    /// `dependency` refuses what the broker asks of it, or cannot do it. The cause goes to the log
    /// only.
    pub fn refused_by(dependency: &str, cause: impl Into<Cause>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Kind::ServiceUnavailable,
                format!(
                    "{dependency} refuses this, or cannot do it; the log has the reason under this request id. Trying again helps once an operator has changed that."
                ),
            )
        }
    }

    /// `dependency` gives an answer that cannot be read. The cause goes to the log only.
    pub fn unreadable(dependency: &str, cause: impl Into<Cause>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Kind::ServiceUnavailable,
                format!(
                    "{dependency} gives an answer that cannot be read; the log has more under this request id. Try again in {RETRY_AFTER_SECONDS} s."
                ),
            )
        }
    }

    /// `who` has too much to do.
    pub fn overloaded(who: &str) -> Self {
        Self::new(
            Kind::Overloaded,
            format!("{who} has too much to do; try again in {RETRY_AFTER_SECONDS} s."),
        )
    }

    /// Other work must end first.
    pub fn busy(detail: &str) -> Self {
        Self::new(
            Kind::ServiceUnavailable,
            format!("{detail}; try again in {RETRY_AFTER_SECONDS} s."),
        )
    }

    /// The caller made more requests than `limit` (`key` or `address`) grants.
    pub fn rate_limited(limit: &str, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(
                Kind::RateLimited,
                format!("Too many requests of this {limit}; try again in {seconds} s."),
            )
        }
    }

    /// What kind of problem it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a path reached for what is not its caller's.
    pub fn is_escape_attempt(&self) -> bool {
        (self.refusal.as_ref()).is_some_and(|refusal| refusal.is_escape_attempt)
    }

    /// That path, where the request does not have it in its own.
    pub fn reached(&self) -> Option<&str> {
        let mut errors = self.refusal.iter().flat_map(|refusal| &refusal.errors);
        errors.find_map(|error| error.path.as_deref())
    }

    /// The chain of causes for the log, outermost first; nothing where the client is at fault.
    pub fn cause_chain(&self) -> Option<String> {
        let cause = self.cause.as_ref()?;
        let mut chain = cause.to_string();
        let mut next = cause.source();
        while let Some(source) = next {
            // Many errors repeat their source in their own words.
            let words = source.to_string();
            if !chain.ends_with(&words) {
                chain.push_str(": ");
                chain.push_str(&words);
            }
            next = source.source();
        }
        Some(chain)
    }

    /// The body, for the request at `instance`.
    pub fn body(&self, instance: &str, request_id: &str) -> Body {
        let body = Body::new(self.kind, &self.detail, instance, request_id);
        match &self.refusal {
            Some(refusal) => body.with(refusal),
            None => body,
        }
    }

    /// The whole answer to the request at `instance`, a path without its query.
    pub fn respond(&self, instance: &str, request_id: &str) -> HttpResponse {
        let mut response = HttpResponse::build(self.kind.entry().status);
        response.insert_header((header::CONTENT_TYPE, MEDIA_TYPE));
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        match self.kind {
            Kind::ServiceUnavailable | Kind::Overloaded | Kind::RateLimited => {
                let seconds = self.retry_after.unwrap_or(RETRY_AFTER_SECONDS);
                response.insert_header((header::RETRY_AFTER, seconds.to_string()));
            }
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
        let body = serde_json::to_vec(&self.body(instance, request_id)).unwrap_or_default();
        response.body(body)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal: Some(Box::new(refusal.clone())),
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
                    Outage::Silent => Self::unavailable(&dependency, cause),
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

    /// Without the request at hand; the edge replaces it by a whole one.
    fn error_response(&self) -> HttpResponse {
        self.respond("", "")
    }
}
