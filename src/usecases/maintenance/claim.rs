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
pub enum Chore {
    /// A look at an overdue Pending upload.
    Expire,
    /// The rest of a delete.
    FinishDelete,
    /// The last look at a Deleted, Cancelled or failed upload.
    Settle,
}

/// The lease of a page of rows, and the rows that are still held under it.
#[derive(Debug)]
pub struct Held {
    lease: Lease,
    renewal: Renewal,
    rows: Mutex<HashSet<Uuid>>,
}

/// Claims up to `limit` rows that waited for `chore` at `since`, the start of the round: a row
/// that failed in this round is not claimed again in it.
pub async fn claim(
    broker: &Broker,
    chore: Chore,
    since: DateTime<Utc>,
    limit: u16,
) -> Result<(Vec<LeasedUpload>, Held)> {
    let lease = broker.new_lease();
    let (waiting, before) = (waiting(chore), before(broker, chore, since));
    let mut connection = broker.connection().await?;
    let rows = connection
        .transaction(async |connection| {
            uploads::lease_due_rows(connection, waiting, before, since, &lease, limit.into()).await
        })
        .await?;
    let ids = rows.iter().map(|row| row.upload.id).collect();
    Ok((
        rows,
        Held {
            renewal: Renewal::new(lease.length()),
            lease,
            rows: Mutex::new(ids),
        },
    ))
}

impl Held {
    /// Does `work` on the rows, and renews their lease meanwhile.
    pub async fn during<T>(&self, broker: &Broker, work: impl Future<Output = T>) -> T {
        self.renewal.during(|| self.renew(broker), work).await
    }

    /// Whether a row is still held, as far as this process knows.
    pub fn has(&self, id: Uuid) -> bool {
        !self.renewal.lost().is_cancelled() && self.rows().contains(&id)
    }

    /// The work on a row is over: its lease ended with it, or is given back with the others.
    pub fn over(&self, id: Uuid) {
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
pub async fn peek(
    broker: &Broker,
    chore: Chore,
    since: DateTime<Utc>,
    after: Option<&Upload>,
    limit: u16,
) -> Result<Vec<Upload>> {
    let (waiting, before) = (waiting(chore), before(broker, chore, since));
    let lease = broker.new_lease();
    let mut connection = broker.connection().await?;
    let page = uploads::list_due_rows(
        &mut connection,
        waiting,
        before,
        since,
        &lease,
        after,
        limit.into(),
    );
    Ok(page.await?)
}

/// Gives back rows that were not begun.
pub async fn give_back(broker: &Broker, ids: &[Uuid], held: &Held) -> Result<()> {
    let mut connection = broker.connection().await?;
    Ok(uploads::release_leases(&mut connection, ids, &held.lease).await?)
}

/// Gives back rows that were worked on and are as they were, each after its `attempts`: they are
/// left alone for a while, longer each time.
pub async fn put_off(broker: &Broker, ids: &[Uuid], attempts: i32, held: &Held) -> Result<()> {
    let backoff = Backoff::new(broker.rules.lease, LONGEST_BACKOFF);
    let failures = u32::try_from(attempts).unwrap_or(0);
    let until = broker.clock.now() + length(backoff.delay(failures));
    let mut connection = broker.connection().await?;
    Ok(uploads::postpone(&mut connection, ids, &held.lease, until).await?)
}

const fn waiting(chore: Chore) -> uploads::DueRows {
    match chore {
        Chore::Expire => uploads::DueRows::Overdue,
        Chore::FinishDelete => uploads::DueRows::Deleting,
        Chore::Settle => uploads::DueRows::AwaitingFinalCheck,
    }
}

/// The grace is for transfers that began while the URL was good.
fn before(broker: &Broker, chore: Chore, since: DateTime<Utc>) -> DateTime<Utc> {
    match chore {
        Chore::Expire | Chore::Settle => {
            since - TimeDelta::seconds(broker.rules.grace_seconds.into())
        }
        // Left for that long to the request that made it.
        Chore::FinishDelete => since - length(broker.rules.lease),
    }
}

fn length(lease: Duration) -> TimeDelta {
    TimeDelta::from_std(lease).unwrap_or(TimeDelta::minutes(15))
}
