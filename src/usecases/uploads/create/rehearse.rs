//! Rehearse: whether rows would be written, asked before anything is begun at S3 for them.
//!
//! A multipart upload is begun at S3 before its row is written, as the row names it. So that S3 is not
//! asked for what is refused a moment later, the rows are written first as they will be, under the
//! same locks and in the same order, and the transaction is rolled back. The rules are those of the
//! real write because it is the real write. Others may take the room in between; then the write
//! refuses, and what was begun is aborted.

use diesel::result::Error as Sql;
use diesel_async::AsyncConnection as _;

use crate::domain::bounds::TokenAllowances;
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;
use crate::usecases::broker::Broker;
use crate::usecases::error::{Result, is_of_one};
use crate::usecases::uploads::create::insert::insert;

impl Broker {
    /// Why each of the rows, all of one tenant, would be refused now; in their order. Changes
    /// nothing.
    pub(in crate::usecases) async fn rehearse(
        &self,
        rows: &[Upload],
        allowances: Option<&TokenAllowances>,
    ) -> Result<Vec<Option<Refusal>>> {
        let Some(first) = rows.first() else {
            return Ok(Vec::new());
        };
        let _lane = self.lane(&first.tenant).await?;
        let mut connection = self.connection().await?;
        let rehearsed: std::result::Result<(), Rehearsed> = connection
            .transaction(async |connection| {
                let refusals = insert(connection, rows, allowances).await?;
                Err(Rehearsed::Would(refusals))
            })
            .await;
        match rehearsed {
            Err(Rehearsed::Would(refusals)) => Ok(refusals),
            // The write itself finds out which of them it is.
            Err(Rehearsed::Failed(cause)) if is_of_one(&cause) => Ok(vec![None; rows.len()]),
            Err(Rehearsed::Failed(cause)) => Err(cause.into()),
            Ok(()) => Ok(vec![None; rows.len()]),
        }
    }
}

/// Why the transaction is rolled back.
enum Rehearsed {
    /// It has told what it would do.
    Would(Vec<Option<Refusal>>),
    Failed(Sql),
}

impl From<Sql> for Rehearsed {
    fn from(cause: Sql) -> Self {
        Self::Failed(cause)
    }
}
