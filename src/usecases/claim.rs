//! Claims: which rows wait for the janitor, and which of its replicas takes them.
//!
//! A claim is committed before S3 is asked and holds for a few minutes; whoever dies or is cut off
//! from Postgres loses the row to the next one when that time is over.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use super::broker::Broker;
use super::error::Result;
use crate::domain::upload::Upload;
use crate::store::uploads;

pub use crate::store::uploads::Claimed;

/// How long work may begin on the rows of a claim.
const BEGIN: TimeDelta = TimeDelta::minutes(5);
/// More than work on one row takes, but for making an object of parts: the claim holds as long.
const ONE_ROW: TimeDelta = TimeDelta::minutes(1);
/// How long a Deleting row is left to the request that made it.
const UNFINISHED_AFTER: TimeDelta = TimeDelta::minutes(1);
/// The back-off after the first failure; it doubles.
const FIRST_BACKOFF: TimeDelta = TimeDelta::seconds(30);
const LONGEST_BACKOFF: TimeDelta = TimeDelta::minutes(15);

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

/// A page of rows that are this process's alone.
#[derive(Debug)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Claimed>,
    /// Until when.
    pub lease: DateTime<Utc>,
    /// Until when enough of that is left to begin with another row.
    pub begin_by: DateTime<Utc>,
}

/// Claims up to `limit` rows that waited for `chore` at `since`, the start of the round: a row
/// that was claimed in this round is not claimed again in it.
pub async fn claim(
    broker: &Broker,
    chore: Chore,
    since: DateTime<Utc>,
    limit: u16,
) -> Result<Page> {
    let begin_by = broker.clock.now() + BEGIN;
    let lease = begin_by + one_row(broker, chore);
    let (waiting, before) = (waiting(chore), before(broker, chore, since));
    let mut connection = broker.connection().await?;
    let rows = connection
        .transaction(async |connection| {
            uploads::claim(connection, waiting, before, since, lease, limit.into()).await
        })
        .await?;
    Ok(Page {
        rows,
        lease,
        begin_by,
    })
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
    let mut connection = broker.connection().await?;
    Ok(uploads::peek(&mut connection, waiting, before, since, after, limit.into()).await?)
}

/// Gives back rows of a page that were not begun.
pub async fn release(broker: &Broker, ids: &[Uuid], lease: DateTime<Utc>) -> Result<()> {
    let mut connection = broker.connection().await?;
    Ok(uploads::release(&mut connection, ids, lease).await?)
}

/// Leaves a row that failed alone for a while, longer each time.
pub async fn put_off(broker: &Broker, row: &Claimed, lease: DateTime<Utc>) -> Result<()> {
    let chance = getrandom::u32().unwrap_or_default();
    let until = broker.clock.now() + backoff(row.attempts, chance);
    let mut connection = broker.connection().await?;
    Ok(uploads::put_off(&mut connection, row.upload.id, lease, until).await?)
}

const fn waiting(chore: Chore) -> uploads::Waiting {
    match chore {
        Chore::Expire => uploads::Waiting::Overdue,
        Chore::FinishDelete => uploads::Waiting::Deleting,
        Chore::Settle => uploads::Waiting::Unsettled,
    }
}

/// What one row may take: of an overdue upload the parts may become its object, and another janitor
/// must not take them for parts that never came meanwhile.
fn one_row(broker: &Broker, chore: Chore) -> TimeDelta {
    match chore {
        Chore::Expire => {
            let complete = TimeDelta::from_std(broker.rules.complete_patience);
            ONE_ROW + complete.unwrap_or(TimeDelta::days(1))
        }
        Chore::FinishDelete | Chore::Settle => ONE_ROW,
    }
}

/// The grace is for transfers that began while the URL was good.
fn before(broker: &Broker, chore: Chore, since: DateTime<Utc>) -> DateTime<Utc> {
    match chore {
        Chore::Expire | Chore::Settle => {
            since - TimeDelta::seconds(broker.rules.grace_seconds.into())
        }
        Chore::FinishDelete => since - UNFINISHED_AFTER,
    }
}

/// Doubles up to a quarter of an hour, less up to half of it by chance, so that rows that failed
/// together do not return together. `chance` is any number.
fn backoff(attempts: i32, chance: u32) -> TimeDelta {
    let doublings = u32::try_from(attempts.saturating_sub(1))
        .unwrap_or(0)
        .min(10);
    let whole = (FIRST_BACKOFF * 2_i32.pow(doublings)).min(LONGEST_BACKOFF);
    whole - whole / 1_000 * i32::try_from(chance % 500).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_a_quarter_of_an_hour_and_stays_within_half() {
        assert_eq!(backoff(1, 0), FIRST_BACKOFF);
        assert_eq!(backoff(2, 0), FIRST_BACKOFF * 2);
        assert_eq!(backoff(0, 0), FIRST_BACKOFF);
        for chance in [0, 499, 12_345, u32::MAX] {
            let wait = backoff(i32::MAX, chance);
            assert!(
                wait <= LONGEST_BACKOFF && wait >= LONGEST_BACKOFF / 2,
                "{wait}"
            );
        }
    }
}
