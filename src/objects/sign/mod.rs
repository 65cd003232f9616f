//! AWS Signature Version 4 for pre-signed URLs.
//!
//! Issuing URLs is the main task of this service, so it has its own signer: the key of the day is
//! derived once, a URL costs one allocation and five to ten SHA-256 blocks, and the returned expiry
//! is exact. `tests/it/signing*.rs` compares every URL with that of `presigned()` of aws-sdk-s3, byte
//! for byte.
//!
//! Signing is pure computation: it does no I/O, does not wait, and does not read a clock. It fails if
//! the credentials have expired or the request cannot be signed.

mod encode;
mod error;
mod form;
mod get;
mod headers;
mod key;
mod lifetime;
mod limits;
mod part;
mod presign;
mod presigned;
mod put;
mod signer;

pub use self::error::Error;
pub use self::form::{PostForm, SignedForm};
pub use self::get::{GetObject, ReadMethod};
pub use self::limits::MAX_EXPIRES_IN;
pub use self::part::{PartSigner, UploadPart};
pub use self::presign::PresignRequest;
pub use self::presigned::Presigned;
pub use self::put::{Checksum, Precondition, PresignedPut, PutObject};
pub use self::signer::Signer;
