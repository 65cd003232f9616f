//! Rows and the quotas of their tenants.
//!
//! [`insert`] tries the fast path first: one statement writes the rows of tenants without quotas,
//! where no dataset stands in their way. The rows that it leaves out take the slow path,
//! [`insert_deferred`]: what the tenant uses is locked, then the rows that fit are written, and the
//! others are refused. Both are one transaction of the caller.
//!
//! Every tenant has a queue and connection permits of its own for the slow path: while its quota is
//! counted anew, which may take as long as its uploads are many, only its own new uploads wait.

use std::collections::{BTreeMap, HashMap};

use diesel::QueryResult;
use uuid::Uuid;

use crate::domain::quota::{Quota, Usage};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::uploads::{self, InsertMode, TenantPath};
use crate::store::{Connection, quotas};

/// How often rows are tried again while other transactions change what stands in their way.
const MAX_ATTEMPTS: usize = 5;

/// Writes rows, and says of each why it is refused; in their order. Call it inside a transaction.
pub(super) async fn insert(
    connection: &mut Connection,
    rows: &[Upload],
) -> QueryResult<Vec<Option<Refusal>>> {
    let written = uploads::insert(connection, rows, InsertMode::SlowPath).await?;
    if written.len() == rows.len() {
        return Ok(vec![None; rows.len()]);
    }
    let deferred: Vec<&Upload> = (rows.iter())
        .filter(|row| !written.contains(&row.id))
        .collect();
    let mut refusals = insert_deferred(connection, &deferred).await?.into_iter();
    Ok((rows.iter())
        .map(|row| match written.contains(&row.id) {
            true => None,
            false => refusals.next().flatten(),
        })
        .collect())
}

/// Writes rows that the fast path left out, and says of each why it is refused; in their order.
/// Call it inside a transaction, which then holds the lock on what their tenants use.
pub(super) async fn insert_deferred(
    connection: &mut Connection,
    rows: &[&Upload],
) -> QueryResult<Vec<Option<Refusal>>> {
    let mut decided = HashMap::new();
    for attempt in 0..MAX_ATTEMPTS {
        let open = (rows.iter().copied()).filter(|row| !decided.contains_key(&row.id));
        let open: Vec<&Upload> = open.collect();
        if open.is_empty() {
            break;
        }
        decided.extend(decide(connection, &open, attempt > 0).await?);
    }
    let mut refusal = |row: &Upload| decided.remove(&row.id);
    let undecided = |row: &Upload| Some(dataset_exists(row, None));
    Ok((rows.iter())
        .map(|row| refusal(row).unwrap_or_else(|| undecided(row)))
        .collect())
}

/// What became of rows, by their ids: written, or refused for a reason. A row is not among them
/// where the table left it out for a reason that this transaction has not read yet: a dataset that
/// was acknowledged at this moment, or a quota that was set or removed.
async fn decide(
    connection: &mut Connection,
    rows: &[&Upload],
    is_repeated: bool,
) -> QueryResult<HashMap<Uuid, Option<Refusal>>> {
    let tenants: Vec<&str> = rows.iter().map(|row| &*row.tenant).collect();
    let usage = quotas::lock_usage(connection, &tenants).await?;
    let mut split = split(usage.clone(), rows, &HashMap::new());
    // Where every row fits into its quota, the insert itself finds out which paths are taken.
    if is_repeated || !split.refused.is_empty() || !split.uncounted.is_empty() {
        let standing = find_standing(connection, rows).await?;
        let standing: HashMap<TenantPath<'_>, &Upload> = standing
            .iter()
            .map(|upload| (upload.into(), upload))
            .collect();
        split = self::split(usage, rows, &standing);
    }
    let mut written = uploads::insert(connection, &split.counted, InsertMode::WithQuota).await?;
    written.extend(uploads::insert(connection, &split.uncounted, InsertMode::SlowPath).await?);
    let refused = split.refused.into_iter();
    Ok(refused
        .map(|(id, refusal)| (id, Some(refusal)))
        .chain(written.into_iter().map(|id| (id, None)))
        .collect())
}

/// Rows that may be written, and why the others are refused.
#[derive(Default)]
struct Split {
    /// Rows that fit into the quota of their tenant.
    counted: Vec<Upload>,
    /// Rows whose tenant has no quota.
    uncounted: Vec<Upload>,
    refused: HashMap<Uuid, Refusal>,
}

/// Shares out what is left of the tenants' quotas, in the order of the rows.
fn split(
    mut usage: HashMap<String, (Quota, Usage)>,
    rows: &[&Upload],
    standing: &HashMap<TenantPath<'_>, &Upload>,
) -> Split {
    let mut split = Split::default();
    for &row in rows {
        let existing = standing.get(&TenantPath::from(row)).copied();
        let existing = existing.filter(|_| !row.write.may_replace());
        let refusal = match usage.get_mut(&row.tenant) {
            _ if existing.is_some() => dataset_exists(row, existing),
            Some((quota, usage)) => match quota.add_upload(usage, row.declared.size) {
                Ok(()) => {
                    split.counted.push(row.clone());
                    continue;
                }
                Err(exceeded) => Refusal::over_quota(exceeded),
            },
            // The dataset or the quota that stood in its way is gone by now.
            None => {
                split.uncounted.push(row.clone());
                continue;
            }
        };
        split.refused.insert(row.id, refusal);
    }
    split
}

/// The acknowledged uploads at the paths of rows that may replace none.
async fn find_standing(connection: &mut Connection, rows: &[&Upload]) -> QueryResult<Vec<Upload>> {
    let mut paths: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.write.may_replace()) {
        let of_tenant = paths.entry(&row.tenant).or_default();
        of_tenant.push(row.path.as_str());
    }
    let mut standing = Vec::new();
    for (tenant, paths) in paths {
        standing.extend(uploads::find_acknowledged(connection, tenant, &paths).await?);
    }
    Ok(standing)
}

fn dataset_exists(row: &Upload, existing: Option<&Upload>) -> Refusal {
    Refusal {
        upload_id: existing.map(|upload| upload.id),
        status: existing.map(|upload| upload.status),
        ..Refusal::new(
            Code::DatasetExists,
            format!(
                "A dataset stands at {}. Set overwrite to replace it, or if_match to replace exactly one version.",
                row.path
            ),
        )
    }
}
