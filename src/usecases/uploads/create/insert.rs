//! New rows: what many callers promise at once, in one statement.
//!
//! The statement looks at the rows' tenants and waits for nobody. It leaves out who has to wait, or
//! to be refused: those of tenants with quotas, those whose tenant gets one at this moment, and
//! those whose path is taken. They go on by themselves, see [`left_rows`]: whoever shares a
//! statement with them has nothing to do with that.
//!
//! A batch, and rows that are counted against upload tokens, are one transaction with their counts
//! and quotas: see [`spend`]. Tokens are held before tenants, by everybody, so that nobody waits in
//! a circle.
//!
//! [`left_rows`]: crate::usecases::uploads::create::quota

use std::slice;
use std::sync::Arc;

use diesel::QueryResult;
use diesel_async::AsyncConnection as _;

use crate::domain::bounds::TokenAllowances;
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;
use crate::store::Connection;
use crate::store::uploads::{self, InsertMode};
use crate::usecases::batching::{Group, Grouped};
use crate::usecases::broker::Broker;
use crate::usecases::error::{Error, Result, for_all, is_of_one};
use crate::usecases::uploads::create::allowance;
use crate::usecases::uploads::create::quota::second_step;

/// A row that is written together with others.
pub struct NewRow(Upload);

/// What became of it.
pub enum First {
    /// It is written.
    Written(Upload),
    /// It has to wait, or cannot be written at all.
    Left(Upload),
}

impl NewRow {
    pub(in crate::usecases) fn of(upload: Upload) -> Self {
        Self(upload)
    }
}

impl Grouped for NewRow {
    type Answer = Result<First>;

    const NAME: &'static str = "create";

    fn group(&self, broker: &Broker) -> Arc<Group<Self>> {
        Arc::clone(&broker.creates)
    }

    async fn write(broker: &Broker, rows: Vec<Self>) -> Vec<Result<First>> {
        let rows: Vec<Upload> = rows.into_iter().map(|row| row.0).collect();
        let mut connection = match broker.connection().await {
            Ok(connection) => connection,
            Err(error) => return for_all(error, rows.len()),
        };
        match uploads::insert(&mut connection, &rows, InsertMode::FastPath).await {
            Ok(written) => (rows.into_iter())
                .map(|row| match written.contains(&row.id) {
                    true => Ok(First::Written(row)),
                    false => Ok(First::Left(row)),
                })
                .collect(),
            Err(cause) if is_of_one(&cause) => {
                let all = one_by_one(&mut connection, rows, None).await;
                all.into_iter().map(|row| row.map(First::Written)).collect()
            }
            Err(cause) => for_all(cause.into(), rows.len()),
        }
    }
}

/// Writes rows of one tenant, on a lane of it, and counts them where there is a purse; what each
/// came to, in their order.
pub(in crate::usecases) async fn write_on_lane(
    broker: &Broker,
    rows: Vec<Upload>,
    allowances: Option<&TokenAllowances>,
) -> Vec<Result<Upload>> {
    match broker.lane_of(&rows).await {
        Ok(_lane) => write(broker, rows, allowances).await,
        Err(error) => for_all(error, rows.len()),
    }
}

/// Writes rows in one transaction; one that the table refuses does not take the others along.
async fn write(
    broker: &Broker,
    rows: Vec<Upload>,
    allowances: Option<&TokenAllowances>,
) -> Vec<Result<Upload>> {
    let mut connection = match broker.connection().await {
        Ok(connection) => connection,
        Err(error) => return for_all(error, rows.len()),
    };
    let written = connection
        .transaction(async |connection| insert(connection, &rows, allowances).await)
        .await;
    match written {
        Ok(refusals) => answers(rows, refusals),
        Err(cause) if is_of_one(&cause) => one_by_one(&mut connection, rows, allowances).await,
        Err(cause) => for_all(cause.into(), rows.len()),
    }
}

pub(in crate::usecases) async fn one_by_one(
    connection: &mut Connection,
    rows: Vec<Upload>,
    allowances: Option<&TokenAllowances>,
) -> Vec<Result<Upload>> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let refusals = connection
            .transaction(async |connection| {
                insert(connection, slice::from_ref(&row), allowances).await
            })
            .await;
        all.push(match refusals {
            Ok(refusals) => answers(vec![row], refusals).pop().unwrap_or_else(lost),
            Err(cause) => Err(Error::from(cause)),
        });
    }
    all
}

pub(in crate::usecases) fn answers(
    rows: Vec<Upload>,
    refusals: Vec<Option<Refusal>>,
) -> Vec<Result<Upload>> {
    (rows.into_iter().zip(refusals))
        .map(|(row, refusal)| match refusal {
            None => Ok(row),
            Some(refusal) => Err(refusal.into()),
        })
        .collect()
}

fn lost() -> Result<Upload> {
    Err(Error::Internal("a row was lost on its way".into()))
}

/// Writes the rows, and says of each why it was not written: an acknowledged dataset stands in its
/// way, its tenant has no room for it, or the purse too little left. Call it inside a transaction.
pub(in crate::usecases) async fn insert(
    connection: &mut Connection,
    rows: &[Upload],
    allowances: Option<&TokenAllowances>,
) -> QueryResult<Vec<Option<Refusal>>> {
    match allowances {
        None => insert_all(connection, rows).await,
        Some(allowances) => allowance::insert(connection, rows, allowances).await,
    }
}

/// The same for rows that no token counts, or that have been held against theirs already.
pub(in crate::usecases) async fn insert_all(
    connection: &mut Connection,
    rows: &[Upload],
) -> QueryResult<Vec<Option<Refusal>>> {
    let written = uploads::insert(connection, rows, InsertMode::SlowPath).await?;
    if written.len() == rows.len() {
        return Ok(vec![None; rows.len()]);
    }
    let left: Vec<&Upload> = (rows.iter())
        .filter(|row| !written.contains(&row.id))
        .collect();
    let mut refusals = second_step(connection, &left).await?.into_iter();
    Ok((rows.iter())
        .map(|row| match written.contains(&row.id) {
            true => None,
            false => refusals.next().flatten(),
        })
        .collect())
}
