//! Errors of calls for multipart uploads.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;

use crate::objects::store::{StoreError, status};

/// The code for a multipart upload that was completed or aborted, or never existed.
pub(super) const NO_SUCH_UPLOAD: &str = "NoSuchUpload";
/// The code for a bucket that does not exist, which says nothing about a multipart upload in it.
const NO_SUCH_BUCKET: &str = "NoSuchBucket";

/// Whether the multipart upload does not exist, or no longer. The code of S3 is `NoSuchUpload`;
/// other stores answer `NoSuchKey`, or only the status 404.
pub(in crate::objects) fn is_no_such_upload<E: ProvideErrorMetadata>(
    error: &SdkError<E, Response>,
) -> bool {
    match error.code() {
        Some(NO_SUCH_UPLOAD) => true,
        Some(NO_SUCH_BUCKET) => false,
        _ => status(error) == Some(404),
    }
}

/// The error for a response that makes no sense.
pub(super) fn invalid_response(operation: &'static str, reason: &'static str) -> StoreError {
    StoreError::Failed {
        operation,
        answer: None,
        cause: reason.into(),
    }
}
