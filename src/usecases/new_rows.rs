//! New rows: what many callers promise at once, in one statement.
//!
//! Rows of tenants with quotas take a second step, in a transaction of its own: what the tenant
//! takes is locked, the rows find room or do not, and those that do are written. All others are
//! written by the first statement, which looks at their tenants' rows and locks nothing else. A
//! fault in the second step leaves those of the first.
//!
//! Rows that are counted against upload tokens are one transaction with the count, quotas and all:
//! see [`spend`]. Tokens are held before tenants, by everybody, so that nobody waits in a circle.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::slice;

use diesel::QueryResult;
use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use super::broker::Broker;
use super::error::{Error, Result, for_all, is_of_one};
use super::group::{Group, Grouped};
use super::spend;
use crate::domain::bounds::Purse;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::uploads::{self, Place};
use crate::store::{Connection, quotas};

/// How often rows are looked at while the world changes under them.
const LOOKS: usize = 5;

/// A row that is written together with others.
pub struct NewRow(Upload);

impl NewRow {
    pub(super) fn of(upload: Upload) -> Self {
        Self(upload)
    }
}

impl Grouped for NewRow {
    type Answer = Result<Upload>;

    const NAME: &'static str = "create";

    fn group(broker: &Broker) -> &Group<Self> {
        &broker.creates
    }

    async fn write(broker: &Broker, rows: Vec<Self>) -> Vec<Result<Upload>> {
        write(broker, rows.into_iter().map(|row| row.0).collect(), None).await
    }
}

/// Writes rows of one tenant as [`write`] does, on a lane of it.
pub(super) async fn write_on_lane(
    broker: &Broker,
    tenant: &str,
    rows: Vec<Upload>,
    purse: Option<&Purse>,
) -> Vec<Result<Upload>> {
    match broker.lane(tenant).await {
        Ok(_lane) => write(broker, rows, purse).await,
        Err(error) => for_all(error, rows.len()),
    }
}

/// Writes rows, and counts them where there is a purse; what each came to, in their order.
async fn write(broker: &Broker, rows: Vec<Upload>, purse: Option<&Purse>) -> Vec<Result<Upload>> {
    let mut connection = match broker.connection().await {
        Ok(connection) => connection,
        Err(error) => return for_all(error, rows.len()),
    };
    if let Some(purse) = purse {
        return match spend::insert(&mut connection, &rows, purse).await {
            Ok(refusals) => answers(rows, refusals),
            Err(cause) if is_of_one(&cause) => one_by_one(&mut connection, rows, Some(purse)).await,
            Err(cause) => for_all(cause.into(), rows.len()),
        };
    }
    let written = match uploads::insert(&mut connection, &rows).await {
        Ok(written) => written,
        Err(cause) if is_of_one(&cause) => return one_by_one(&mut connection, rows, None).await,
        Err(cause) => return for_all(cause.into(), rows.len()),
    };
    if written.len() == rows.len() {
        return rows.into_iter().map(Ok).collect();
    }
    let left = left(&rows, &written);
    let mut left = match insert_left(&mut connection, &left).await {
        Ok(refusals) => answers(left, refusals),
        Err(cause) if is_of_one(&cause) => one_by_one(&mut connection, left, None).await,
        Err(cause) => for_all(cause.into(), left.len()),
    }
    .into_iter();
    (rows.into_iter())
        .map(|row| match written.contains(&row.id) {
            true => Ok(row),
            false => left.next().unwrap_or_else(lost),
        })
        .collect()
}

async fn one_by_one(
    connection: &mut Connection,
    rows: Vec<Upload>,
    purse: Option<&Purse>,
) -> Vec<Result<Upload>> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let refusals = connection
            .transaction(async |connection| insert(connection, slice::from_ref(&row), purse).await)
            .await;
        all.push(match refusals {
            Ok(refusals) => answers(vec![row], refusals).pop().unwrap_or_else(lost),
            Err(cause) => Err(Error::from(cause)),
        });
    }
    all
}

fn answers(rows: Vec<Upload>, refusals: Vec<Option<Refusal>>) -> Vec<Result<Upload>> {
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
pub(super) async fn insert(
    connection: &mut Connection,
    rows: &[Upload],
    purse: Option<&Purse>,
) -> QueryResult<Vec<Option<Refusal>>> {
    match purse {
        None => insert_all(connection, rows).await,
        Some(purse) => spend::insert(connection, rows, purse).await,
    }
}

/// The same for rows that no token counts, or that have been held against theirs already.
pub(super) async fn insert_all(
    connection: &mut Connection,
    rows: &[Upload],
) -> QueryResult<Vec<Option<Refusal>>> {
    let written = uploads::insert(connection, rows).await?;
    if written.len() == rows.len() {
        return Ok(vec![None; rows.len()]);
    }
    let left = left(rows, &written);
    let mut refusals = second_step(connection, &left).await?.into_iter();
    Ok((rows.iter())
        .map(|row| match written.contains(&row.id) {
            true => None,
            false => refusals.next().flatten(),
        })
        .collect())
}

fn left(rows: &[Upload], written: &HashSet<Uuid>) -> Vec<Upload> {
    let left = rows.iter().filter(|row| !written.contains(&row.id));
    left.cloned().collect()
}

async fn insert_left(
    connection: &mut Connection,
    rows: &[Upload],
) -> QueryResult<Vec<Option<Refusal>>> {
    connection
        .transaction(async |connection| second_step(connection, rows).await)
        .await
}

/// Writes those that wait for a quota, and refuses the others. The transaction holds the lock on
/// what their tenants take.
async fn second_step(
    connection: &mut Connection,
    rows: &[Upload],
) -> QueryResult<Vec<Option<Refusal>>> {
    let mut decided = HashMap::new();
    for _ in 0..LOOKS {
        let open = rows.iter().filter(|row| !decided.contains_key(&row.id));
        let open: Vec<&Upload> = open.collect();
        if open.is_empty() {
            break;
        }
        decided.extend(decide(connection, &open).await?);
    }
    let mut refusal = |row: &Upload| decided.remove(&row.id);
    let undecided = |row: &Upload| Some(exists(row, None));
    Ok((rows.iter())
        .map(|row| refusal(row).unwrap_or_else(|| undecided(row)))
        .collect())
}

/// What became of rows, by their ids: written, or refused for a reason. Not among them is one that
/// the table left out for what nobody has seen yet: a dataset that was acknowledged this very
/// moment, a quota that came or went.
async fn decide(
    connection: &mut Connection,
    rows: &[&Upload],
) -> QueryResult<HashMap<Uuid, Option<Refusal>>> {
    let tenants: Vec<&str> = rows.iter().map(|row| &*row.tenant).collect();
    let mut taken = quotas::lock(connection, &tenants).await?;
    let standing = standing(connection, rows).await?;
    let standing: HashMap<Place<'_>, &Upload> = standing
        .iter()
        .map(|upload| (upload.into(), upload))
        .collect();
    let mut decided = HashMap::new();
    let (mut counted, mut uncounted) = (Vec::new(), Vec::new());
    for &row in rows {
        let in_the_way = standing.get(&Place::from(row)).copied();
        let in_the_way = in_the_way.filter(|_| !row.write.may_replace());
        match taken.get_mut(&row.tenant) {
            _ if in_the_way.is_some() => {
                decided.insert(row.id, Some(exists(row, in_the_way)));
            }
            Some((quota, usage)) => match quota.take(usage, row.declared.size) {
                Ok(()) => counted.push(row.clone()),
                Err(exceeded) => {
                    decided.insert(row.id, Some(Refusal::over_quota(exceeded)));
                }
            },
            // What stood in its way went this very moment: the dataset, or the quota.
            None => uncounted.push(row.clone()),
        }
    }
    let mut written = uploads::insert_counted(connection, &counted).await?;
    written.extend(uploads::insert(connection, &uncounted).await?);
    decided.extend(written.into_iter().map(|id| (id, None)));
    Ok(decided)
}

/// The acknowledged uploads at the rows' places.
async fn standing(connection: &mut Connection, rows: &[&Upload]) -> QueryResult<Vec<Upload>> {
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.write.may_replace()) {
        let paths = wanted.entry(&row.tenant).or_default();
        paths.push(row.path.as_str());
    }
    let mut standing = Vec::new();
    for (tenant, paths) in wanted {
        standing.extend(uploads::standing(connection, tenant, &paths).await?);
    }
    Ok(standing)
}

fn exists(wanted: &Upload, standing: Option<&Upload>) -> Refusal {
    Refusal {
        upload_id: standing.map(|upload| upload.id),
        status: standing.map(|upload| upload.status),
        ..Refusal::new(
            Code::DatasetExists,
            format!(
                "A dataset stands at {}. Set overwrite to replace it, or if_match to replace exactly one version.",
                wanted.path
            ),
        )
    }
}
