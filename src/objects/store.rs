//! The bucket, and what every call to it shares.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_smithy_runtime_api::http::Response;

use crate::telemetry::metrics::{CallOutcome, Metrics};

/// One bucket of an S3-compatible store.
#[derive(Clone)]
pub struct ObjectStore {
    pub(super) client: Client,
    pub(super) bucket: Arc<str>,
    /// Whether the store honours `If-Match` and `If-None-Match` on writes.
    pub(super) conditional_writes: bool,
    /// Whether it turned out that the store does not honour `If-Match` on deletes.
    pub(super) plain_deletes: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
}

/// Why a call to the store has no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It did not answer in time, or answered with a fault, or refused us.
    #[error("S3 {operation} failed")]
    Failed {
        /// The operation, by S3's name.
        operation: &'static str,
        /// For the log only: it may name hosts and keys.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It does not offer this operation, or not to us.
    #[error("S3 does not offer {operation}, or not to this role: {code}")]
    Refused {
        /// The operation, by S3's name.
        operation: &'static str,
        /// S3's word for it.
        code: String,
    },
    /// It does not take what the object shall carry. The same call will fail again.
    #[error("S3 does not take the object's {}: {code}", part.as_str())]
    Unfit {
        /// What of it.
        part: Carried,
        /// S3's word for it.
        code: String,
    },
    /// The store does not know this continuation token.
    #[error("S3 does not take this continuation token")]
    UnknownToken,
}

/// What an object carries by its client's choice, and a store may not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// `x-amz-storage-class`.
    StorageClass,
    /// `x-amz-tagging`.
    Tags,
}

impl Carried {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StorageClass => "storage class",
            Self::Tags => "tags",
        }
    }
}

impl ObjectStore {
    /// Speaks to `bucket` through `client`.
    pub fn new(
        client: Client,
        bucket: &str,
        conditional_writes: bool,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            client,
            bucket: bucket.into(),
            conditional_writes,
            plain_deletes: Arc::default(),
            metrics,
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
    pub(super) async fn timed<T, E>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, Response>>>,
    ) -> Result<T, SdkError<E, Response>> {
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
        self.metrics.s3.called(operation, outcome, start.elapsed());
        result
    }
}

/// The HTTP status of a failed call, where the store answered at all.
pub(super) fn status<E>(error: &SdkError<E, Response>) -> Option<u16> {
    error
        .raw_response()
        .map(|response| response.status().as_u16())
}

pub(super) fn failed<E>(operation: &'static str, cause: SdkError<E, Response>) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
{
    StoreError::Failed {
        operation,
        cause: Box::new(cause),
    }
}
