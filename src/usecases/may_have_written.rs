//! Decides whether a failed write may have reached Postgres nevertheless.

use std::error::Error as StdError;

use diesel::result::{DatabaseErrorKind, Error as Sql};

use crate::objects::StoreError;
use crate::store::pool::PoolError;
use crate::store::sqlstate;
use crate::usecases::error::{Error, Shared};

impl Error {
    /// Whether rows may exist although writing them failed with this error: the connection was lost
    /// while the answer was awaited, or the cause is unknown. It is false if there was no
    /// connection, or if Postgres refused the statement: then nothing was written.
    pub(in crate::usecases) fn may_have_written(&self) -> bool {
        match self {
            Self::Unavailable { cause, .. } | Self::Internal(cause) => is_outcome_unknown(&**cause),
            _ => false,
        }
    }
}

fn is_outcome_unknown(cause: &(dyn StdError + Send + Sync + 'static)) -> bool {
    /// Classes of errors where the connection or its server ended, perhaps after the commit.
    const ENDED: [&str; 2] = ["08", "57P"];
    if let Some(shared) = cause.downcast_ref::<Shared>() {
        return shared.0.may_have_written();
    }
    if cause.is::<PoolError>() || cause.is::<StoreError>() {
        return false;
    }
    let Some(sql) = cause.downcast_ref::<Sql>() else {
        return true;
    };
    match (sql, sqlstate(sql)) {
        (_, Some(code)) => ENDED.iter().any(|class| code.starts_with(class)),
        (Sql::DatabaseError(kind, _), None) => matches!(
            kind,
            DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::Unknown
        ),
        (Sql::SerializationError(_) | Sql::QueryBuilderError(_) | Sql::NotFound, None) => false,
        _ => true,
    }
}
