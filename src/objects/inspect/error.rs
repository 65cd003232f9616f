//! Errors of the calls that inspect a bucket.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;

use crate::objects::store::{StoreError, answer, failed};

/// Distinguishes a store that refuses or lacks an operation from one that does not answer. Stores
/// that do not know a sub-resource may also answer 200 with another kind of document.
pub(super) fn refused_or_failed<E>(
    operation: &'static str,
    error: SdkError<E, Response>,
) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer(&error) {
        // Some stores lack the operation and answer with a server error.
        Some(answer) if answer.status != 503 => StoreError::Refused {
            operation,
            answer,
            cause: Box::new(error),
        },
        _ => failed(operation, error),
    }
}
