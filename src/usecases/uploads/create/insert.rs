//! Insert: from rows to Postgres.
//!
//! A transaction writes rows in this order: token allowance, quota of the tenant, rows, refusals.
//!
//! A row that comes alone takes a shorter way. On the fast path it shares one statement with the
//! rows of all other callers, which waits for no lock. Rows that would have to wait, or that are to
//! be refused, are left out of that statement and take the slow path, where they share a
//! transaction with the rows of their tenant alone. Rows that are counted against upload tokens
//! share one with the rows of the same token.

use std::slice;
use std::sync::Arc;

use diesel::QueryResult;
use diesel_async::AsyncConnection as _;

use super::{allowance, quota};
use crate::domain::bounds::TokenAllowances;
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;
use crate::store::Connection;
use crate::store::uploads::{self, InsertMode};
use crate::usecases::batching::{Batched, Batching};
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result, error_for_each, is_row_error};

/// A row that is written together with others.
struct NewRow {
    upload: Upload,
    path: WritePath,
}

/// Which rows share a statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum WritePath {
    /// The rows of all callers.
    Fast,
    /// Rows of one tenant that the fast path left out.
    Slow(String),
    /// Rows that are counted against the same upload tokens, and so are of one tenant.
    Counted(Arc<TokenAllowances>),
}

/// What became of a row.
enum Inserted {
    Written(Upload),
    /// The row has to wait for a lock, or is to be refused.
    Deferred(Upload),
}

impl Batched for NewRow {
    type Key = WritePath;
    type Output = Result<Inserted>;

    fn key(&self) -> WritePath {
        self.path.clone()
    }

    fn batching(path: &WritePath) -> Batching {
        match path {
            WritePath::Fast => Batching::fast("create"),
            WritePath::Slow(_) => Batching::serial("create-left"),
            WritePath::Counted(_) => Batching::serial("create-counted"),
        }
    }

    async fn write(broker: &Broker, path: WritePath, rows: Vec<Self>) -> Vec<Result<Inserted>> {
        let rows = rows.into_iter().map(|row| row.upload).collect();
        let written = match path {
            WritePath::Fast => return insert_fast(broker, rows).await,
            WritePath::Slow(_) => insert_within(broker, rows, Step::Deferred).await,
            WritePath::Counted(allowances) => {
                insert_within(broker, rows, Step::All(Some(&allowances))).await
            }
        };
        written
            .into_iter()
            .map(|row| row.map(Inserted::Written))
            .collect()
    }
}

impl Broker {
    /// Writes one row together with the rows of other callers.
    pub(super) async fn insert_one(
        self: &Arc<Self>,
        upload: Upload,
        allowances: Option<Arc<TokenAllowances>>,
    ) -> Result<Upload> {
        let path = match allowances {
            None => WritePath::Fast,
            Some(allowances) => WritePath::Counted(allowances),
        };
        let upload = match self.write_batched(NewRow { upload, path }).await?? {
            Inserted::Written(upload) => return Ok(upload),
            Inserted::Deferred(upload) => upload,
        };
        let path = WritePath::Slow(upload.tenant.clone());
        match self.write_batched(NewRow { upload, path }).await?? {
            Inserted::Written(upload) => Ok(upload),
            Inserted::Deferred(_) => Err(Error::Internal("a row was deferred twice".into())),
        }
    }

    /// Writes rows of one tenant in one transaction. A row that the table refuses does not take the
    /// others along. The results are in the order of the rows.
    pub(super) async fn insert_many(
        &self,
        rows: Vec<Upload>,
        allowances: Option<&TokenAllowances>,
    ) -> Vec<Result<Upload>> {
        insert_within(self, rows, Step::All(allowances)).await
    }
}

/// One statement that waits for no lock.
async fn insert_fast(broker: &Broker, rows: Vec<Upload>) -> Vec<Result<Inserted>> {
    let mut connection = match broker.connection().await {
        Ok(connection) => connection,
        Err(error) => return error_for_each(error, rows.len()),
    };
    match uploads::insert(&mut connection, &rows, InsertMode::FastPath).await {
        Ok(written) => (rows.into_iter())
            .map(|row| match written.contains(&row.id) {
                true => Ok(Inserted::Written(row)),
                false => Ok(Inserted::Deferred(row)),
            })
            .collect(),
        Err(cause) if is_row_error(&cause) => {
            let rows = insert_one_by_one(&mut connection, rows, Step::All(None)).await;
            let rows = rows.into_iter();
            rows.map(|row| row.map(Inserted::Written)).collect()
        }
        Err(cause) => error_for_each(cause.into(), rows.len()),
    }
}

/// What a transaction does with its rows.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// Everything.
    All(Option<&'a TokenAllowances>),
    /// What the fast path has left to do.
    Deferred,
}

impl Step<'_> {
    async fn run(
        self,
        connection: &mut Connection,
        rows: &[Upload],
    ) -> QueryResult<Vec<Option<Refusal>>> {
        connection
            .transaction(async |connection| match self {
                Self::All(allowances) => allowance::insert(connection, rows, allowances).await,
                Self::Deferred => {
                    let rows: Vec<&Upload> = rows.iter().collect();
                    quota::insert_deferred(connection, &rows).await
                }
            })
            .await
    }
}

/// Writes rows of one tenant in one transaction, with a permit of the tenant.
async fn insert_within(broker: &Broker, rows: Vec<Upload>, step: Step<'_>) -> Vec<Result<Upload>> {
    let Some(first) = rows.first() else {
        return Vec::new();
    };
    let taken = async {
        let permit = broker.connections.permit(&first.tenant).await?;
        Ok((permit, broker.connection().await?))
    };
    let (_permit, mut connection) = match taken.await {
        Ok(taken) => taken,
        Err(error) => return error_for_each(error, rows.len()),
    };
    match step.run(&mut connection, &rows).await {
        Ok(refusals) => results(rows, refusals),
        Err(cause) if is_row_error(&cause) => insert_one_by_one(&mut connection, rows, step).await,
        Err(cause) => error_for_each(cause.into(), rows.len()),
    }
}

/// Each row in a transaction of its own, after the table refused one of them.
async fn insert_one_by_one(
    connection: &mut Connection,
    rows: Vec<Upload>,
    step: Step<'_>,
) -> Vec<Result<Upload>> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let refusals = step.run(connection, slice::from_ref(&row)).await;
        all.push(match refusals {
            Ok(refusals) => match refusals.into_iter().next() {
                Some(Some(refusal)) => Err(refusal.into()),
                Some(None) => Ok(row),
                None => Err(Error::Internal("a row has no result".into())),
            },
            Err(cause) => Err(Error::from(cause)),
        });
    }
    all
}

fn results(rows: Vec<Upload>, refusals: Vec<Option<Refusal>>) -> Vec<Result<Upload>> {
    (rows.into_iter().zip(refusals))
        .map(|(row, refusal)| match refusal {
            None => Ok(row),
            Some(refusal) => Err(refusal.into()),
        })
        .collect()
}
