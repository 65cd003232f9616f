//! Faults: of the start ([`Error`]), of the index ([`Fault`]), and how they read as S3 errors.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use s3s::{S3Error, S3ErrorCode, s3_error};

/// Why the server could not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen on {addr}")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The store's folder cannot be made, read or written.
    #[error("cannot use the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The index cannot be opened: damaged, or another process has it open.
    #[error("cannot open the object index")]
    Index(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A bucket name in the options breaks S3's naming rules.
    #[error("{0:?} is not a bucket name")]
    BucketName(String),
}

/// Why the index did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("no such bucket")]
    NoSuchBucket,
    #[error("no such key")]
    NoSuchKey,
    #[error("no such multipart upload")]
    NoSuchUpload,
    #[error("a precondition does not hold")]
    Precondition,
    #[error("the index failed")]
    Index(#[source] Box<redb::Error>),
    #[error("a record in the index cannot be read")]
    Record(#[from] serde_json::Error),
    #[error("the body of an object cannot be read or written")]
    Body(#[from] io::Error),
}

/// redb has an error type for each step; all of them are the same fault to us.
macro_rules! from_redb {
    ($($kind:ident),+) => { $(
        impl From<redb::$kind> for Fault {
            fn from(error: redb::$kind) -> Self {
                Self::Index(Box::new(error.into()))
            }
        }
    )+ };
}
from_redb!(
    DatabaseError,
    TransactionError,
    TableError,
    StorageError,
    CommitError
);

impl From<Fault> for S3Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NoSuchBucket => s3_error!(NoSuchBucket, "The specified bucket does not exist"),
            Fault::NoSuchKey => s3_error!(NoSuchKey, "The specified key does not exist."),
            Fault::NoSuchUpload => s3_error!(
                NoSuchUpload,
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
            ),
            Fault::Precondition => precondition_failed(),
            Fault::Index(_) | Fault::Record(_) | Fault::Body(_) => internal(&fault),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Index(Box::new(fault))
    }
}

/// 500, the cause in the log and not in the answer.
pub(super) fn internal(cause: &dyn std::error::Error) -> S3Error {
    let mut chain = cause.to_string();
    let mut next = cause.source();
    while let Some(error) = next {
        chain = format!("{chain}: {error}");
        next = error.source();
    }
    log::error!(target: "upload_broker::dev::s3", "{chain}");
    s3_error!(
        InternalError,
        "We encountered an internal error. Please try again."
    )
}

/// 412, in S3's words.
pub(super) fn precondition_failed() -> S3Error {
    s3_error!(
        PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold"
    )
}

/// 404 for a version: this store keeps one version of each object, `null`.
pub(super) fn only_null_version(version: Option<&str>) -> Result<(), S3Error> {
    match version {
        None | Some("null") => Ok(()),
        Some(_) => Err(s3_error!(
            NoSuchVersion,
            "The specified version does not exist."
        )),
    }
}

/// The declared SHA-256 of the payload was wrong. s3s has no name for the code.
pub(super) fn content_sha256_mismatch() -> S3Error {
    with_code(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )
}

/// 400, for a request that is no S3 request.
pub(super) fn bad_request(message: &'static str) -> S3Error {
    with_code("BadRequest", message)
}

fn with_code(code: &'static str, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(hyper::StatusCode::BAD_REQUEST);
    error
}
