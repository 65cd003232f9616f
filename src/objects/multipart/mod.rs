//! Multipart uploads at the store: create, list, complete and abort.
//!
//! The store keeps the parts and knows which ones exist; the broker keeps no copy of that. An answer
//! can be lost after the store has acted, so "there is no such upload" is an outcome of its own: the
//! upload may just have been completed or aborted. A HEAD request of the object shows which.

mod abort;
mod complete;
mod create;
mod error;
mod parts;
mod uploads;

pub(super) use self::create::algorithm as checksum_algorithm;
pub(super) use self::error::is_no_such_upload;
pub use complete::{CompleteMultipart, Completion};
pub use parts::{PartsPage, UploadedPart};
pub use uploads::{OpenUpload, OpenUploadsPage, UploadsMarker};
