//! Copies inside a bucket: the bytes do not leave the store.

mod object;
mod outcome;
mod part;
mod source;

pub use object::CopyObject;
pub use outcome::Copied;
pub use part::CopyPart;
pub use source::CopySource;
