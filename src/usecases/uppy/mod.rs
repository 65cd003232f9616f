//! Uploads of Uppy clients (`@uppy/aws-s3`): the protocol of Uppy Companion.
//!
//! They are uploads like any other: `uploads::create` makes them, `uploads::acknowledge` proves them,
//! with the same limits, quotas, tokens and events. What differs: the client names a file and no path,
//! so each gets a path of its own; it never says a size, so the size is held by the policy of the form,
//! by the sum of the parts, and by the proof; and it knows an upload in parts by its key and by the id
//! that S3 gave it.

pub mod cancel;
pub mod complete;
pub mod create;
mod find;
mod form;
pub mod parts;
mod session;

pub use create::NewFile;
pub use find::read;
pub use session::UppySession;
