//! Why a verb did not do what was asked.

use std::fmt;
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as Sql};

use crate::domain::refusal::Refusal;
use crate::objects::{ObjectAttribute, StoreError};
use crate::store::pool::{self, PoolError};
use crate::store::sqlstate;

/// The outcome of a verb.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cause that only the log may see.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Something outside that a verb needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dependency {
    /// The database.
    Postgres,
    /// The object store, or the credentials for it.
    S3,
    /// The issuer of JWTs, whose keys are needed.
    Issuer,
}

/// What something outside does instead of what a verb needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outage {
    /// It does not answer, or with a fault of its own.
    NoAnswer,
    /// It refuses, or cannot do it: an operator has to change something.
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

/// Why a verb did not do what was asked.
#[derive(Debug)]
pub enum Error {
    /// The rules say no. Public.
    Refused(Box<Refusal>),
    /// Something outside does not do what it is asked for. Nothing has changed; later it may work.
    Unavailable {
        /// Which.
        dependency: Dependency,
        /// What it does instead.
        outage: Outage,
        /// For the log.
        cause: Cause,
    },
    /// Every connection to something outside stayed in use. Nothing is lost; later it may work.
    Overloaded(Dependency),
    /// Other work must end first. Public. Nothing has changed; later it may work.
    Busy(String),
    /// A fault of ours.
    Internal(Cause),
}

impl Error {
    /// Something outside does not answer.
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

/// One error for each of `count` callers who shared what failed.
pub(in crate::usecases) fn error_for_each<T>(error: Error, count: usize) -> Vec<Result<T>> {
    let error = Arc::new(error);
    (0..count).map(|_| Err(shared(&error))).collect()
}

/// The error of what several callers shared, for one of them.
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

/// A cause that several callers log, each under its own request.
#[derive(Debug, thiserror::Error)]
#[error("what was shared with others failed")]
pub(in crate::usecases) struct Shared(#[source] pub(in crate::usecases) Arc<Error>);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => f.write_str(&refusal.detail),
            Self::Unavailable {
                dependency, outage, ..
            } => match outage {
                Outage::NoAnswer => write!(f, "{dependency} is not available"),
                Outage::Refuses => write!(f, "{dependency} refuses"),
                Outage::Unreadable => write!(f, "{dependency} gives unreadable answers"),
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
    let detail = "is not one that the store takes: choose another, or leave it out";
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

/// Whether one of many rows of a statement may be at fault for its failure, and the others may go
/// through without it.
pub(in crate::usecases) fn is_row_error(error: &Sql) -> bool {
    const SERIALIZATION_FAILURE: &str = "40001";
    const DEADLOCK_DETECTED: &str = "40P01";
    match sqlstate(error) {
        Some(SERIALIZATION_FAILURE | DEADLOCK_DETECTED) => true,
        _ => !is_transient(error),
    }
}

/// Whether the same query may succeed later, by the code of Postgres' answer.
///
/// Source: <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn is_transient(error: &Sql) -> bool {
    /// Of the connection, a transaction that was rolled back for others, resources, and the
    /// operator: a time limit, a shutdown, a start.
    const CLASSES: [&str; 4] = ["08", "40", "53", "57"];
    /// Read-only, as after a failover; idle in a transaction for too long; a lock that was not to
    /// be had in time.
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
