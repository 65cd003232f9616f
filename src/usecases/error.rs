//! The errors of the operations.

use std::fmt;
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as Sql};

use crate::domain::refusal::Refusal;
use crate::objects::{ObjectAttribute, StoreError};
use crate::store::pool::{self, PoolError};
use crate::store::sqlstate;

/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The cause of an error. It is written to the log and never sent to a caller.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An external service that operations depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dependency {
    /// The database.
    Postgres,
    /// The object store, or the source of its credentials.
    S3,
    /// The issuer of JWTs, whose keys verify them.
    Issuer,
}

/// How an external service fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outage {
    /// It does not answer, or answers with an internal error.
    NoAnswer,
    /// It refuses the request or cannot do it. An operator has to change something.
    Refuses,
    /// Its answer cannot be read.
    Unreadable,
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "Postgres",
            Self::S3 => "S3",
            Self::Issuer => "The issuer of tokens",
        })
    }
}

/// Why an operation failed.
#[derive(Debug)]
pub enum Error {
    /// The request is refused by a rule. The text is sent to the caller.
    Refused(Box<Refusal>),
    /// An external service failed. Nothing has changed, and a retry may succeed.
    Unavailable {
        /// The service that failed.
        dependency: Dependency,
        /// How it failed.
        outage: Outage,
        /// The cause, for the log only.
        cause: Cause,
    },
    /// All connections to an external service stayed in use. Nothing has changed, and a retry may
    /// succeed.
    Overloaded(Dependency),
    /// Other work has to end first, and a retry may succeed. The text is sent to the caller. Nothing
    /// has changed, unless it says that a part of the request is done.
    Busy(String),
    /// A bug or a damaged state of this program.
    Internal(Cause),
}

impl Error {
    /// An error for an external service that does not answer.
    pub fn unavailable(dependency: Dependency, cause: impl Into<Cause>) -> Self {
        Self::outage(dependency, Outage::NoAnswer, cause)
    }

    fn outage(dependency: Dependency, outage: Outage, cause: impl Into<Cause>) -> Self {
        Self::Unavailable {
            dependency,
            outage,
            cause: cause.into(),
        }
    }
}

/// Returns `count` copies of the error, one for each caller of a batch that failed as a whole.
pub(in crate::usecases) fn error_for_each<T>(error: Error, count: usize) -> Vec<Result<T>> {
    let error = Arc::new(error);
    (0..count).map(|_| Err(shared(&error))).collect()
}

/// Returns a copy of an error that several callers of a batch share.
pub(in crate::usecases) fn shared(error: &Arc<Error>) -> Error {
    match &**error {
        Error::Refused(refusal) => Error::Refused(refusal.clone()),
        Error::Unavailable {
            dependency, outage, ..
        } => Error::outage(*dependency, *outage, Shared(Arc::clone(error))),
        Error::Overloaded(dependency) => Error::Overloaded(*dependency),
        Error::Busy(detail) => Error::Busy(detail.clone()),
        Error::Internal(_) => Error::Internal(Shared(Arc::clone(error)).into()),
    }
}

/// A cause that several callers share. Each of them logs it with its own request.
#[derive(Debug, thiserror::Error)]
#[error("a batch that was shared with other requests failed")]
pub(in crate::usecases) struct Shared(#[source] pub(in crate::usecases) Arc<Error>);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => f.write_str(&refusal.detail),
            Self::Unavailable {
                dependency, outage, ..
            } => match outage {
                Outage::NoAnswer => write!(f, "{dependency} is not available"),
                Outage::Refuses => write!(f, "{dependency} refuses the request"),
                Outage::Unreadable => write!(f, "the answer of {dependency} cannot be parsed"),
            },
            Self::Overloaded(dependency) => write!(f, "every connection to {dependency} is in use"),
            Self::Busy(detail) => f.write_str(detail),
            Self::Internal(_) => f.write_str("internal error"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(_) | Self::Overloaded(_) | Self::Busy(_) => None,
            Self::Unavailable { cause, .. } | Self::Internal(cause) => Some(&**cause),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<PoolError> for Error {
    fn from(cause: PoolError) -> Self {
        if pool::is_exhausted(&cause) {
            return Self::Overloaded(Dependency::Postgres);
        }
        Self::unavailable(Dependency::Postgres, cause)
    }
}

impl From<StoreError> for Error {
    fn from(cause: StoreError) -> Self {
        match cause {
            StoreError::UnsupportedAttribute { attribute, .. } => {
                unsupported_attribute(attribute).into()
            }
            StoreError::Refused { .. } => Self::outage(Dependency::S3, Outage::Refuses, cause),
            StoreError::Unreadable { .. } => {
                Self::outage(Dependency::S3, Outage::Unreadable, cause)
            }
            StoreError::Failed { .. } | StoreError::UnknownContinuationToken => {
                Self::unavailable(Dependency::S3, cause)
            }
        }
    }
}

fn unsupported_attribute(attribute: ObjectAttribute) -> Refusal {
    let detail = "is not supported by the store: use another value, or omit it";
    match attribute {
        ObjectAttribute::StorageClass => Refusal::field("/storage_class", detail),
        ObjectAttribute::Tags => Refusal::field("/tags", detail),
        ObjectAttribute::PartChecksums => Refusal::field("/part_checksums", detail),
    }
}

impl From<Sql> for Error {
    fn from(cause: Sql) -> Self {
        if is_transient(&cause) {
            Self::unavailable(Dependency::Postgres, cause)
        } else {
            Self::Internal(cause.into())
        }
    }
}

/// Whether one row of a statement may have caused its failure, so that the other rows may succeed
/// without it.
pub(in crate::usecases) fn is_row_error(error: &Sql) -> bool {
    const SERIALIZATION_FAILURE: &str = "40001";
    const DEADLOCK_DETECTED: &str = "40P01";
    match sqlstate(error) {
        Some(SERIALIZATION_FAILURE | DEADLOCK_DETECTED) => true,
        _ => !is_transient(error),
    }
}

/// Whether the same query may succeed later, judged by the error code of Postgres.
///
/// Source: <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn is_transient(error: &Sql) -> bool {
    /// Classes of errors: connection failures; transactions that were rolled back because of other
    /// transactions; insufficient resources; and intervention by the operator, such as a time
    /// limit, a shutdown or a start.
    const CLASSES: [&str; 4] = ["08", "40", "53", "57"];
    /// Single codes: a read-only transaction, as after a failover; a session that was idle in a
    /// transaction for too long; a lock that could not be acquired in time.
    const CODES: [&str; 3] = ["25006", "25P03", "55P03"];
    match (error, sqlstate(error)) {
        (_, Some(code)) => {
            CODES.contains(&code) || CLASSES.iter().any(|class| code.starts_with(class))
        }
        (Sql::DatabaseError(kind, _), None) => matches!(
            kind,
            DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection
        ),
        (
            Sql::BrokenTransactionManager
            | Sql::RollbackErrorOnCommit { .. }
            | Sql::AlreadyInTransaction,
            None,
        ) => true,
        _ => false,
    }
}
