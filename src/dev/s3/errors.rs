//! Errors of the start ([`Error`]) and of operations ([`StoreError`]), and their conversion to S3 errors.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use s3s::{S3Error, S3ErrorCode, s3_error};

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is in use, or does not belong to this machine.
    #[error("cannot listen on {addr}")]
    Bind {
        /// The requested address.
        addr: SocketAddr,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The folder of the store cannot be created, read or written.
    #[error("cannot use the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The index cannot be opened: it is damaged, or another process has it open.
    #[error("cannot open the object index")]
    Index(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A bucket name in the options violates the naming rules of S3.
    #[error("{0:?} is not a valid bucket name")]
    BucketName(String),
}

/// Why an operation of the store failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
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

/// redb has an error type for each step. All of them become [`StoreError::Index`].
macro_rules! from_redb {
    ($($kind:ident),+) => { $(
        impl From<redb::$kind> for StoreError {
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

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSuchBucket => {
                s3_error!(NoSuchBucket, "The specified bucket does not exist")
            }
            StoreError::NoSuchKey => s3_error!(NoSuchKey, "The specified key does not exist."),
            StoreError::NoSuchUpload => s3_error!(
                NoSuchUpload,
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
            ),
            StoreError::Precondition => precondition_failed(),
            StoreError::Index(_) | StoreError::Record(_) | StoreError::Body(_) => internal(&error),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Index(Box::new(error))
    }
}

/// Returns a 500, and logs the cause, which is not part of the response.
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

/// Returns a 412 with the text of S3.
pub(super) fn precondition_failed() -> S3Error {
    s3_error!(
        PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold"
    )
}

/// Returns a 404 for any version other than `null`, the only version that this store keeps of each object.
pub(super) fn only_null_version(version: Option<&str>) -> Result<(), S3Error> {
    match version {
        None | Some("null") => Ok(()),
        Some(_) => Err(s3_error!(
            NoSuchVersion,
            "The specified version does not exist."
        )),
    }
}

/// Returns the error for a wrong SHA-256 of the payload. s3s does not define its code.
pub(super) fn content_sha256_mismatch() -> S3Error {
    with_code(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )
}

/// Returns a 400 for a request that is not an S3 request.
pub(super) fn bad_request(message: &'static str) -> S3Error {
    with_code("BadRequest", message)
}

fn with_code(code: &'static str, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(hyper::StatusCode::BAD_REQUEST);
    error
}
