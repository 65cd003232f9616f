//! Whether rows would be written, asked before anything is begun at S3 for them.
//!
//! A multipart upload is begun at S3 before its row is written, because the row names it. So that S3
//! is not asked for what is refused a moment later, the rows are written first as they will be,
//! under the same locks and in the same order, and the transaction is rolled back. The rules are
//! those of the real write because it is the real write. Another caller may take the room in
//! between; then the write refuses, and what was begun at S3 is aborted.

use diesel::result::Error as Sql;
use diesel_async::AsyncConnection as _;

use super::allowance;
use crate::domain::bounds::TokenAllowances;
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;
use crate::usecases::context::Broker;
use crate::usecases::error::{Result, is_row_error};

impl Broker {
    /// Why each of the rows, all of one tenant, would be refused now; in their order. Changes
    /// nothing.
    pub(super) async fn find_refusals(
        &self,
        rows: &[Upload],
        allowances: Option<&TokenAllowances>,
    ) -> Result<Vec<Option<Refusal>>> {
        let Some(first) = rows.first() else {
            return Ok(Vec::new());
        };
        let _permit = self.connections.permit(&first.tenant).await?;
        let mut connection = self.connection().await?;
        let rolled_back: std::result::Result<(), RolledBack> = connection
            .transaction(async |connection| {
                let refusals = allowance::insert(connection, rows, allowances).await?;
                Err(RolledBack::AfterWrite(refusals))
            })
            .await;
        match rolled_back {
            Err(RolledBack::AfterWrite(refusals)) => Ok(refusals),
            // The write itself finds out which of the rows the table refuses.
            Err(RolledBack::Failed(cause)) if is_row_error(&cause) => Ok(vec![None; rows.len()]),
            Err(RolledBack::Failed(cause)) => Err(cause.into()),
            Ok(()) => Ok(vec![None; rows.len()]),
        }
    }
}

/// Why the transaction is rolled back.
enum RolledBack {
    /// The refusals are known.
    AfterWrite(Vec<Option<Refusal>>),
    /// A statement failed.
    Failed(Sql),
}

impl From<Sql> for RolledBack {
    fn from(cause: Sql) -> Self {
        Self::Failed(cause)
    }
}
