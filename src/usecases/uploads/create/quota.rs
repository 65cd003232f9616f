//! Left rows: those that wait for their tenant's quota, or whose path is taken.
//!
//! What a tenant takes is locked, its rows find room or do not, and those that do are written, all
//! in one transaction. Every tenant has a group and lanes of its own: while the quota of one is
//! counted anew, which may take as long as its uploads are many, only its own new uploads wait.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use diesel::QueryResult;
use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use crate::domain::quota::{Quota, Usage};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::uploads::{self, InsertMode, TenantPath};
use crate::store::{Connection, quotas};
use crate::usecases::batching::{Group, Grouped, ONE_BY_ONE};
use crate::usecases::broker::Broker;
use crate::usecases::error::{Result, for_all, is_of_one};
use crate::usecases::uploads::create::insert::{First, NewRow, answers, one_by_one};

/// How often rows are looked at while the world changes under them.
const LOOKS: usize = 5;

/// A row that could not be written together with all others.
pub struct LeftRow(Upload);

impl Grouped for LeftRow {
    type Answer = Result<Upload>;

    const NAME: &'static str = "create-left";
    const AT_ONCE: usize = ONE_BY_ONE.0;
    const PATIENCE: Duration = ONE_BY_ONE.1;

    fn group(&self, broker: &Broker) -> Arc<Group<Self>> {
        broker.left.of(&self.0.tenant, Group::default)
    }

    async fn write(broker: &Broker, rows: Vec<Self>) -> Vec<Result<Upload>> {
        write(broker, rows.into_iter().map(|row| row.0).collect()).await
    }
}

impl Broker {
    /// Writes one row together with what others write at this moment.
    pub(in crate::usecases) async fn write_new(self: &Arc<Self>, row: Upload) -> Result<Upload> {
        match self.together(NewRow::of(row)).await?? {
            First::Written(row) => Ok(row),
            First::Left(row) => self.together(LeftRow(row)).await?,
        }
    }
}

async fn write(broker: &Broker, rows: Vec<Upload>) -> Vec<Result<Upload>> {
    let taken = async { Ok((broker.lane_of(&rows).await?, broker.connection().await?)) };
    let (_lane, mut connection) = match taken.await {
        Ok(taken) => taken,
        Err(error) => return for_all(error, rows.len()),
    };
    let all: Vec<&Upload> = rows.iter().collect();
    let written = connection
        .transaction(async |connection| second_step(connection, &all).await)
        .await;
    match written {
        Ok(refusals) => answers(rows, refusals),
        Err(cause) if is_of_one(&cause) => one_by_one(&mut connection, rows, None).await,
        Err(cause) => for_all(cause.into(), rows.len()),
    }
}

/// Writes those that wait for a quota, and refuses the others. Call it inside a transaction, which
/// then holds the lock on what their tenants take.
pub(in crate::usecases) async fn second_step(
    connection: &mut Connection,
    rows: &[&Upload],
) -> QueryResult<Vec<Option<Refusal>>> {
    let mut decided = HashMap::new();
    for look in 0..LOOKS {
        let open = (rows.iter().copied()).filter(|row| !decided.contains_key(&row.id));
        let open: Vec<&Upload> = open.collect();
        if open.is_empty() {
            break;
        }
        decided.extend(decide(connection, &open, look > 0).await?);
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
    is_second: bool,
) -> QueryResult<HashMap<Uuid, Option<Refusal>>> {
    let tenants: Vec<&str> = rows.iter().map(|row| &*row.tenant).collect();
    let taken = quotas::lock_usage(connection, &tenants).await?;
    let mut shared = share(taken.clone(), rows, &HashMap::new());
    // Where there is room for all, the table tells what stands in whose way.
    if is_second || !shared.decided.is_empty() || !shared.uncounted.is_empty() {
        let standing = standing(connection, rows).await?;
        let standing: HashMap<TenantPath<'_>, &Upload> = standing
            .iter()
            .map(|upload| (upload.into(), upload))
            .collect();
        shared = share(taken, rows, &standing);
    }
    let mut decided = shared.decided;
    let mut written = uploads::insert(connection, &shared.counted, InsertMode::WithQuota).await?;
    written.extend(uploads::insert(connection, &shared.uncounted, InsertMode::SlowPath).await?);
    decided.extend(written.into_iter().map(|id| (id, None)));
    Ok(decided)
}

/// Rows that may be written, and what was decided of the others.
#[derive(Default)]
struct Shared {
    counted: Vec<Upload>,
    uncounted: Vec<Upload>,
    decided: HashMap<Uuid, Option<Refusal>>,
}

/// Shares out what the tenants have left.
fn share(
    mut taken: HashMap<String, (Quota, Usage)>,
    rows: &[&Upload],
    standing: &HashMap<TenantPath<'_>, &Upload>,
) -> Shared {
    let mut shared = Shared::default();
    for &row in rows {
        let in_the_way = standing.get(&TenantPath::from(row)).copied();
        let in_the_way = in_the_way.filter(|_| !row.write.may_replace());
        let refusal = match taken.get_mut(&row.tenant) {
            _ if in_the_way.is_some() => exists(row, in_the_way),
            Some((quota, usage)) => match quota.add_upload(usage, row.declared.size) {
                Ok(()) => {
                    shared.counted.push(row.clone());
                    continue;
                }
                Err(exceeded) => Refusal::over_quota(exceeded),
            },
            // What stood in its way went this very moment: the dataset, or the quota.
            None => {
                shared.uncounted.push(row.clone());
                continue;
            }
        };
        shared.decided.insert(row.id, Some(refusal));
    }
    shared
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
        standing.extend(uploads::find_acknowledged(connection, tenant, &paths).await?);
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
