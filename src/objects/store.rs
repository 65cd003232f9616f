//! The client for one bucket, and the error handling that all calls share.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;

use super::abilities::KnownAbilities;
use crate::domain::abilities::{Ability, Support};
use crate::telemetry::metrics::{CallOutcome, Metrics};
use crate::telemetry::trace;

/// A client for one bucket of an S3-compatible store.
#[derive(Clone)]
pub struct ObjectStore {
    pub(super) client: Client,
    pub(super) bucket: Arc<str>,
    pub(super) abilities: Arc<KnownAbilities>,
    metrics: Arc<Metrics>,
}

/// Why a call to the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store did not answer in time, or answered with a server error. The same call may succeed
    /// later.
    #[error("S3 {operation} failed{}", describe(answer.as_ref()))]
    Failed {
        /// The S3 name of the operation.
        operation: &'static str,
        /// The status and code of the error, if the store answered at all.
        answer: Option<Answer>,
        /// The cause, for the log only: it may name hosts and keys.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store refuses the operation or does not have it. The same call will fail until the
    /// settings, the rights of the role or the store change.
    #[error("S3 refuses {operation}: {answer}")]
    Refused {
        /// The S3 name of the operation.
        operation: &'static str,
        /// The status and code, such as `405 MethodNotAllowed`.
        answer: Answer,
        /// The cause, for the log only.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The response has a success status, but is not a valid response of S3.
    #[error("S3 answers {operation} with a document that cannot be read ({answer})")]
    Unreadable {
        /// The S3 name of the operation.
        operation: &'static str,
        /// The status of the response.
        answer: Answer,
        /// The cause, for the log only.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store does not support an attribute that the client requested for the object. The same
    /// call will fail again.
    #[error("S3 does not support the {} of the object: {answer}", attribute.as_str())]
    UnsupportedAttribute {
        /// The attribute.
        attribute: ObjectAttribute,
        /// The status and code.
        answer: Answer,
    },
    /// The store does not know this continuation token.
    #[error("S3 does not know this continuation token")]
    UnknownContinuationToken,
}

/// An attribute of an object that the client chooses and a store may not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectAttribute {
    /// `x-amz-storage-class`.
    StorageClass,
    /// `x-amz-tagging`.
    Tags,
    /// The checksum algorithm of the parts.
    PartChecksums,
}

/// The answer of the store without its message: the status, and the error code of S3 if there is
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The error code of S3, such as `AccessDenied`. Empty if the response has none, as for a HEAD
    /// request.
    pub code: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code.as_str() {
            "" => write!(f, "{}", self.status),
            code => write!(f, "{} {code}", self.status),
        }
    }
}

impl ObjectAttribute {
    /// The name of the attribute in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StorageClass => "storage class",
            Self::Tags => "tags",
            Self::PartChecksums => "part checksum algorithm",
        }
    }
}

impl StoreError {
    /// Whether the store does not have the operation, or the role has no right to it. Any other
    /// refusal is a fault, such as a missing bucket or a wrong access key.
    pub fn is_unsupported_or_forbidden(&self) -> bool {
        matches!(self, Self::Refused { answer, .. }
            if answer.code == "AccessDenied" || matches!(answer.status, 405 | 501))
    }
}

impl ObjectStore {
    /// A client for `bucket` that uses `client`.
    pub fn new(
        client: Client,
        bucket: &str,
        abilities: KnownAbilities,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            client,
            bucket: bucket.into(),
            abilities: Arc::new(abilities),
            metrics,
        }
    }

    /// The known abilities of the store.
    pub fn abilities(&self) -> &KnownAbilities {
        &self.abilities
    }

    /// Records what an answer of the store has shown, and logs it once.
    pub(super) fn record(&self, ability: Ability, support: Support) {
        if self.abilities.record(ability, support) {
            let (bucket, ability) = (&self.bucket, ability.as_str());
            log::warn!("the store of bucket {bucket}: set {ability} to {support}");
        }
    }

    /// Records that the store has refused `ability`, and logs a warning once.
    pub(super) fn record_refusal(&self, ability: Ability) {
        if self.abilities.record_refusal(ability) {
            let (bucket, ability) = (&self.bucket, ability.as_str());
            log::warn!(
                "the store of bucket {bucket} refuses {ability}; it will not be used any more"
            );
        }
    }

    /// The name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The name of the bucket, to be kept.
    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.bucket)
    }

    /// Checks that the bucket answers, by a HEAD request.
    ///
    /// # Errors
    /// It does not answer, or refuses the request.
    pub async fn check(&self) -> Result<(), StoreError> {
        let call = self.client.head_bucket().bucket(&*self.bucket).send();
        self.timed("HeadBucket", call)
            .await
            .map(drop)
            .map_err(|cause| failed("HeadBucket", cause))
    }

    /// Awaits a call and records its duration and outcome in the metrics.
    ///
    /// The futures of the SDK are tens of kilobytes large. They are boxed so that the futures of
    /// the callers stay small: in a debug build, a few nested ones overflow the stack of a thread.
    pub(super) fn timed<'a, T, E>(
        &'a self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, Response>>> + 'a,
    ) -> impl Future<Output = Result<T, SdkError<E, Response>>> + 'a {
        let call = Box::pin(call);
        async move {
            let mut span = trace::aws_span("S3", operation);
            if span.is_recorded() {
                span.set("aws.s3.bucket", self.bucket.to_string());
            }
            let start = Instant::now();
            let result = call.await;
            let outcome = match &result {
                Ok(_) => CallOutcome::Ok,
                Err(error) => match status(error) {
                    Some(404) => CallOutcome::Missing,
                    Some(400..=499) => CallOutcome::Refused,
                    _ => CallOutcome::Failed,
                },
            };
            (self.metrics.s3).called(operation, outcome, start.elapsed());
            // A missing object is a valid response.
            if matches!(outcome, CallOutcome::Refused | CallOutcome::Failed) {
                span.fail(outcome.label());
            }
            result
        }
    }
}

/// Returns the HTTP status of a failed call; `None` if the store did not answer.
pub(super) fn status<E>(error: &SdkError<E, Response>) -> Option<u16> {
    error
        .raw_response()
        .map(|response| response.status().as_u16())
}

/// Whether a status may mean that the store refuses only the optional header of a request. The
/// response to a HEAD request has no body that would say so.
pub(super) const fn refuses_header(status: Option<u16>) -> bool {
    matches!(status, Some(400 | 405 | 501))
}

/// Codes of temporary errors, for any status ("List of error codes", S3 API reference).
const TEMPORARY: [&str; 7] = [
    "ConditionalRequestConflict",
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottlingException",
];

/// Converts the error of a call, and distinguishes a store that refuses from one that does not
/// answer.
pub(super) fn failed<E>(operation: &'static str, error: SdkError<E, Response>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let answer = answer(&error);
    let cause = Box::new(error);
    match answer {
        Some(answer) if TEMPORARY.contains(&answer.code.as_str()) => StoreError::Failed {
            operation,
            answer: Some(answer),
            cause,
        },
        Some(answer) if answer.status < 300 && answer.code.is_empty() => StoreError::Unreadable {
            operation,
            answer,
            cause,
        },
        Some(answer) if !matches!(answer.status, 408 | 425 | 429 | 500 | 502..=504) => {
            StoreError::Refused {
                operation,
                answer,
                cause,
            }
        }
        answer => StoreError::Failed {
            operation,
            answer,
            cause,
        },
    }
}

fn describe(answer: Option<&Answer>) -> String {
    answer.map_or_else(String::new, |answer| format!(": {answer}"))
}

/// Returns the answer of the store to a failed call; `None` if there was no complete answer.
pub(super) fn answer<E: ProvideErrorMetadata>(error: &SdkError<E, Response>) -> Option<Answer> {
    match error {
        SdkError::ServiceError(service) => Some(Answer {
            status: service.raw().status().as_u16(),
            code: service.err().code().unwrap_or_default().to_owned(),
        }),
        _ => None,
    }
}
