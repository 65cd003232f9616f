//! Leases the rows that are due for the janitor, so that one replica processes each of them.
//!
//! A lease is committed before S3 is called. All rows of a page have one lease, which is renewed
//! while the page is processed. If a replica dies or loses its connection to Postgres, the lease
//! expires and another replica takes the rows.

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

/// The limit of the back-off, which starts at the length of a lease and doubles with each failure.
const MAX_BACKOFF: Duration = Duration::from_secs(15 * 60);

/// The work that a row is due for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowTask {
    /// Check whether the object of a Pending upload has arrived.
    CheckArrival,
    /// Check an overdue Pending upload.
    Expire,
    /// Finish an interrupted delete.
    FinishDelete,
    /// Check a Deleted, Cancelled or failed upload a final time.
    FinalCheck,
}

/// The lease of a page of rows, and the rows that are still leased under it.
#[derive(Debug)]
pub struct PageLease {
    lease: Lease,
    renewal: Renewal,
    rows: Mutex<HashSet<Uuid>>,
}

/// Leases up to `limit` rows that were due for `row_task` at `since`, the start of the round. A row
/// that failed in this round is not leased again in it.
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
    /// Runs `work`, and renews the lease of the rows meanwhile.
    pub async fn during<T>(&self, broker: &Broker, work: impl Future<Output = T>) -> T {
        self.renewal.during(|| self.renew(broker), work).await
    }

    /// Whether a row is still leased, as far as this process knows.
    pub fn is_held(&self, id: Uuid) -> bool {
        !self.renewal.lost().is_cancelled() && self.rows().contains(&id)
    }

    /// Marks the work on a row as finished, so that its lease is no longer renewed.
    pub fn finish(&self, id: Uuid) {
        self.rows().remove(&id);
    }

    /// Renews all rows in one statement. Rows that another process has leased, or that a client has
    /// ended, are removed, so that their work does not start.
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
                    "janitor: the lease of {} rows could not be renewed: {error}",
                    before.len()
                );
                Renewed::Failed
            }
        }
    }

    /// Every change is a single call, so a panic cannot leave the set inconsistent.
    fn rows(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lists the rows that [`lease_due_rows`] would lease, page by page. `after` is the last row of the
/// previous page.
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

/// Releases rows whose work was not started.
pub async fn release(broker: &Broker, ids: &[Uuid], lease: &PageLease) -> Result<()> {
    let mut connection = broker.connection().await?;
    Ok(uploads::release_leases(&mut connection, ids, &lease.lease).await?)
}

/// Releases rows that were processed and did not change. Each is postponed by a back-off that grows
/// with `attempts`.
pub async fn postpone(
    broker: &Broker,
    ids: &[Uuid],
    attempts: i32,
    lease: &PageLease,
) -> Result<()> {
    let backoff = Backoff::new(broker.rules.lease, MAX_BACKOFF);
    let failures = u32::try_from(attempts).unwrap_or(0);
    let until = broker.clock.now() + time_delta(backoff.delay(failures));
    let mut connection = broker.connection().await?;
    Ok(uploads::postpone(&mut connection, ids, &lease.lease, until).await?)
}

const fn due_rows(row_task: RowTask) -> uploads::DueRows {
    match row_task {
        RowTask::CheckArrival => uploads::DueRows::AwaitingArrival,
        RowTask::Expire => uploads::DueRows::Overdue,
        RowTask::FinishDelete => uploads::DueRows::Deleting,
        RowTask::FinalCheck => uploads::DueRows::AwaitingFinalCheck,
    }
}

/// Uploads get a grace period, for transfers that started while the URL was valid.
fn due_before(broker: &Broker, row_task: RowTask, since: DateTime<Utc>) -> DateTime<Utc> {
    match row_task {
        RowTask::CheckArrival => since,
        RowTask::Expire | RowTask::FinalCheck => {
            since - TimeDelta::seconds(broker.rules.grace_seconds.into())
        }
        // The request that started the delete has this long to finish it.
        RowTask::FinishDelete => since - time_delta(broker.rules.lease),
    }
}

fn time_delta(length: Duration) -> TimeDelta {
    TimeDelta::from_std(length).unwrap_or(TimeDelta::minutes(15))
}
