//! Claims: which rows wait for the janitor, and which of its replicas takes them.
//!
//! A claim is committed before S3 is asked. The rows of a page are under one lease, which is renewed
//! while the page is worked on; a replica that dies, or is cut off from Postgres, loses them to
//! another one when the lease ends.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use crate::domain::upload::Upload;
use crate::lifecycle::backoff::Backoff;
use crate::lifecycle::renewal::{Renewal, Renewed};
use crate::store::lease::Lease;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};

pub use crate::store::uploads::LeasedUpload;

/// The back-off after the first failure is the length of a lease; it doubles up to this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(15 * 60);

/// What a row waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowTask {
    /// A look at an overdue Pending upload.
    Expire,
    /// The rest of a delete.
    FinishDelete,
    /// The last look at a Deleted, Cancelled or failed upload.
    Settle,
}

/// The lease of a page of rows, and the rows that are still held under it.
#[derive(Debug)]
pub struct PageLease {
    lease: Lease,
    renewal: Renewal,
    rows: Mutex<HashSet<Uuid>>,
}

/// Claims up to `limit` rows that waited for `chore` at `since`, the start of the round: a row
/// that failed in this round is not claimed again in it.
pub async fn lease_due_rows(
    broker: &Broker,
    row_task: RowTask,
    since: DateTime<Utc>,
    limit: u16,
) -> Result<(Vec<LeasedUpload>, PageLease)> {
    let lease = broker.new_lease();
    let (due, before) = (due_rows(row_task), due_before(broker, row_task, since));
    let mut connection = broker.connection().await?;
    let rows = connection
        .transaction(async |connection| {
            uploads::lease_due_rows(connection, due, before, since, &lease, limit.into()).await
        })
        .await?;
    let ids = rows.iter().map(|row| row.upload.id).collect();
    Ok((
        rows,
        PageLease {
            renewal: Renewal::new(lease.length()),
            lease,
            rows: Mutex::new(ids),
        },
    ))
}

impl PageLease {
    /// Does `work` on the rows, and renews their lease meanwhile.
    pub async fn during<T>(&self, broker: &Broker, work: impl Future<Output = T>) -> T {
        self.renewal.during(|| self.renew(broker), work).await
    }

    /// Whether a row is still held, as far as this process knows.
    pub fn is_held(&self, id: Uuid) -> bool {
        !self.renewal.lost().is_cancelled() && self.rows().contains(&id)
    }

    /// The work on a row is over: its lease ended with it, or is given back with the others.
    pub fn finish(&self, id: Uuid) {
        self.rows().remove(&id);
    }

    /// One statement for all rows. Those that another process took, or that a client ended, are not
    /// begun any more.
    async fn renew(&self, broker: &Broker) -> Renewed {
        let before: Vec<Uuid> = self.rows().iter().copied().collect();
        let renewed = async {
            let mut connection = broker.connection().await?;
            Ok::<_, Error>(uploads::renew_leases(&mut connection, &before, &self.lease).await?)
        };
        match renewed.await {
            Ok(held) => {
                let held: HashSet<Uuid> = held.into_iter().collect();
                let mut rows = self.rows();
                for lost in before.iter().filter(|id| !held.contains(id)) {
                    rows.remove(lost);
                }
                Renewed::Held
            }
            Err(error) => {
                log::warn!(
                    "janitor: the lease of {} rows is not renewed: {error}",
                    before.len()
                );
                Renewed::Failed
            }
        }
    }

    /// Every change is one call, so that a panic leaves it whole.
    fn rows(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What [`claim`] would claim, page by page; `after` is the last row of the page before.
pub async fn list_due_rows(
    broker: &Broker,
    row_task: RowTask,
    since: DateTime<Utc>,
    after: Option<&Upload>,
    limit: u16,
) -> Result<Vec<Upload>> {
    let (due, before) = (due_rows(row_task), due_before(broker, row_task, since));
    let lease = broker.new_lease();
    let mut connection = broker.connection().await?;
    let page = uploads::list_due_rows(
        &mut connection,
        due,
        before,
        since,
        &lease,
        after,
        limit.into(),
    );
    Ok(page.await?)
}

/// Gives back rows that were not begun.
pub async fn release(broker: &Broker, ids: &[Uuid], lease: &PageLease) -> Result<()> {
    let mut connection = broker.connection().await?;
    Ok(uploads::release_leases(&mut connection, ids, &lease.lease).await?)
}

/// Gives back rows that were worked on and are as they were, each after its `attempts`: they are
/// left alone for a while, longer each time.
pub async fn postpone(
    broker: &Broker,
    ids: &[Uuid],
    attempts: i32,
    lease: &PageLease,
) -> Result<()> {
    let backoff = Backoff::new(broker.rules.lease, LONGEST_BACKOFF);
    let failures = u32::try_from(attempts).unwrap_or(0);
    let until = broker.clock.now() + time_delta(backoff.delay(failures));
    let mut connection = broker.connection().await?;
    Ok(uploads::postpone(&mut connection, ids, &lease.lease, until).await?)
}

const fn due_rows(row_task: RowTask) -> uploads::DueRows {
    match row_task {
        RowTask::Expire => uploads::DueRows::Overdue,
        RowTask::FinishDelete => uploads::DueRows::Deleting,
        RowTask::FinalCheck => uploads::DueRows::AwaitingFinalCheck,
    }
}

/// The grace is for transfers that began while the URL was good.
fn due_before(broker: &Broker, row_task: RowTask, since: DateTime<Utc>) -> DateTime<Utc> {
    match row_task {
        RowTask::Expire | RowTask::FinalCheck => {
            since - TimeDelta::seconds(broker.rules.grace_seconds.into())
        }
        // Left for that long to the request that made it.
        RowTask::FinishDelete => since - time_delta(broker.rules.lease),
    }
}

fn time_delta(length: Duration) -> TimeDelta {
    TimeDelta::from_std(length).unwrap_or(TimeDelta::minutes(15))
}
