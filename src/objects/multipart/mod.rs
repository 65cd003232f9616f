//! Multipart uploads at the store: begun, looked at, completed or aborted.
//!
//! The store keeps the parts, and knows which are there: no copy of that is kept here. Answers
//! can be lost after the store has acted, so "there is no such upload" is an outcome of its own:
//! it may have been completed, or aborted, a moment ago. HEAD tells which.

mod abort;
mod complete;
mod create;
mod parts;
mod uploads;

pub(super) use complete::patient;
pub use complete::{CompleteMultipart, Completion};
pub use parts::{PartsPage, UploadedPart};
pub use uploads::{OpenUpload, OpenUploadsPage, UploadsMarker};

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;

use super::store::{StoreError, status};

/// The code of an upload that was completed, aborted or never there.
const NO_SUCH_UPLOAD: &str = "NoSuchUpload";
/// The code of a bucket that is not there: nothing can be concluded about an upload in it.
const NO_SUCH_BUCKET: &str = "NoSuchBucket";

/// Whether the store has no such upload, or no longer. S3's code for it is `NoSuchUpload`; other
/// stores say `NoSuchKey`, or nothing but 404.
fn is_no_such_upload<E: ProvideErrorMetadata>(error: &SdkError<E, Response>) -> bool {
    match error.code() {
        Some(NO_SUCH_UPLOAD) => true,
        Some(NO_SUCH_BUCKET) => false,
        _ => status(error) == Some(404),
    }
}

/// An answer that makes no sense.
fn senseless(operation: &'static str, why: &'static str) -> StoreError {
    StoreError::Failed {
        operation,
        answer: None,
        cause: why.into(),
    }
}
