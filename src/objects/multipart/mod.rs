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

use super::store::StoreError;

/// The code of an upload that was completed, aborted or never there.
const NO_SUCH_UPLOAD: &str = "NoSuchUpload";

/// An answer that makes no sense.
fn senseless(operation: &'static str, why: &'static str) -> StoreError {
    StoreError::Failed {
        operation,
        cause: why.into(),
    }
}
