//! The bucket, and what every call to it shares.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;

use super::abilities::KnownAbilities;
use crate::domain::abilities::{Ability, Support};
use crate::telemetry::metrics::{CallOutcome, Metrics};

/// One bucket of an S3-compatible store.
#[derive(Clone)]
pub struct ObjectStore {
    pub(super) client: Client,
    pub(super) bucket: Arc<str>,
    pub(super) abilities: Arc<KnownAbilities>,
    metrics: Arc<Metrics>,
}

/// Why a call to the store did not do what it is for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It did not answer in time, or answered with a fault of its own. The same call may succeed
    /// later.
    #[error("S3 {operation} failed{}", answered(answer.as_ref()))]
    Failed {
        /// The operation, by S3's name.
        operation: &'static str,
        /// The status and code of the fault, where the store answered at all.
        answer: Option<Answer>,
        /// For the log only: it may name hosts and keys.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It refuses this operation, or does not have it. The same call is refused again until the
    /// settings, the role's rights or the store are other ones.
    #[error("S3 refuses {operation}: {answer}")]
    Refused {
        /// The operation, by S3's name.
        operation: &'static str,
        /// Status and code: `405 MethodNotAllowed`.
        answer: Answer,
        /// For the log only.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It says that it did it, in an answer that is not S3's.
    #[error("S3 answers {operation} with a document that cannot be read ({answer})")]
    Unreadable {
        /// The operation, by S3's name.
        operation: &'static str,
        /// The status.
        answer: Answer,
        /// For the log only.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It does not take what the object shall carry. The same call will fail again.
    #[error("S3 does not take the object's {}: {answer}", attribute.as_str())]
    UnsupportedAttribute {
        /// What of it.
        attribute: ObjectAttribute,
        /// Status and code.
        answer: Answer,
    },
    /// The store does not know this continuation token.
    #[error("S3 does not take this continuation token")]
    UnknownContinuationToken,
}

/// What an object carries by its client's choice, and a store may not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectAttribute {
    /// `x-amz-storage-class`.
    StorageClass,
    /// `x-amz-tagging`.
    Tags,
    /// The algorithm of the parts' checksums.
    PartChecksums,
}

/// What the store answered, without its words: the status, and S3's code where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// S3's code: `AccessDenied`. Empty where the answer has none, as that to a HEAD.
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
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StorageClass => "storage class",
            Self::Tags => "tags",
            Self::PartChecksums => "algorithm of part checksums",
        }
    }
}

impl StoreError {
    /// Whether the store does not have the operation, or the role has no right to it. Any other
    /// refusal is a fault: a bucket that is gone, a key that is wrong.
    pub fn is_unsupported_or_forbidden(&self) -> bool {
        matches!(self, Self::Refused { answer, .. }
            if answer.code == "AccessDenied" || matches!(answer.status, 405 | 501))
    }
}

impl ObjectStore {
    /// Speaks to `bucket` through `client`.
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

    /// What is known of the store.
    pub fn abilities(&self) -> &KnownAbilities {
        &self.abilities
    }

    /// Remembers what an answer has shown, and says so once.
    pub(super) fn record(&self, ability: Ability, support: Support) {
        if self.abilities.record(ability, support) {
            let (bucket, ability) = (&self.bucket, ability.as_str());
            log::warn!("the store of bucket {bucket}: {ability} is {support} from now on");
        }
    }

    /// Remembers what the store has refused, and warns once.
    pub(super) fn record_refusal(&self, ability: Ability) {
        if self.abilities.record_refusal(ability) {
            let (bucket, ability) = (&self.bucket, ability.as_str());
            log::warn!(
                "the store of bucket {bucket} refuses {ability}: it is not used from now on"
            );
        }
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The same, to keep.
    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.bucket)
    }

    /// Whether the bucket answers: one HEAD of it.
    pub async fn check(&self) -> Result<(), StoreError> {
        let call = self.client.head_bucket().bucket(&*self.bucket).send();
        self.timed("HeadBucket", call)
            .await
            .map(drop)
            .map_err(|cause| failed("HeadBucket", cause))
    }

    /// Awaits a call and counts it by its outcome.
    ///
    /// The futures of the SDK are tens of kilobytes large. Each is kept on the heap, so that those of
    /// its callers stay small: nested on the stack of a thread, a few of them overflow it in a debug
    /// build.
    pub(super) fn timed<'a, T, E>(
        &'a self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, Response>>> + 'a,
    ) -> impl Future<Output = Result<T, SdkError<E, Response>>> + 'a {
        let call = Box::pin(call);
        async move {
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
            result
        }
    }
}

/// The HTTP status of a failed call, where the store answered at all.
pub(super) fn status<E>(error: &SdkError<E, Response>) -> Option<u16> {
    error
        .raw_response()
        .map(|response| response.status().as_u16())
}

/// Whether an answer may mean that the store takes the request without its special header. A HEAD
/// has no body that would say.
pub(super) const fn refuses_header(status: Option<u16>) -> bool {
    matches!(status, Some(400 | 405 | 501))
}

/// Codes of what passes by itself, whatever the status ("List of error codes", S3 API reference).
const PASSING: [&str; 7] = [
    "ConditionalRequestConflict",
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottlingException",
];

/// Distinguishes a store that refuses from one that does not answer.
pub(super) fn failed<E>(operation: &'static str, error: SdkError<E, Response>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let answer = answer(&error);
    let cause = Box::new(error);
    match answer {
        Some(answer) if PASSING.contains(&answer.code.as_str()) => StoreError::Failed {
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

fn answered(answer: Option<&Answer>) -> String {
    answer.map_or_else(String::new, |answer| format!(": {answer}"))
}

/// What the store answered to a failed call; `None` where no whole answer came.
pub(super) fn answer<E: ProvideErrorMetadata>(error: &SdkError<E, Response>) -> Option<Answer> {
    match error {
        SdkError::ServiceError(service) => Some(Answer {
            status: service.raw().status().as_u16(),
            code: service.err().code().unwrap_or_default().to_owned(),
        }),
        _ => None,
    }
}
