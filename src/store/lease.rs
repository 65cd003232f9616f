//! Leases: which process works on a row, in whatever table.
//!
//! A table whose rows are leased has two columns: `holder`, the token of the claim, and
//! `leased_until`. A claim writes a token that no claim had before and commits before anything is
//! asked of S3 or SNS. While its holder lives and works, it renews the lease at a fraction of its
//! length; when the holder dies, the row is free once the lease has ended; when it stops, it gives
//! the row back.
//!
//! The token is also the lease_token. Whoever was paused, or cut off from Postgres, for longer than its
//! lease may find the row in other hands: every later write names the token in its `WHERE`, and
//! changes nothing where the row has another one by then. A lease that ended and that nobody else
//! took is still good: the token in the row proves it.
//!
//! The end of a lease is reckoned and compared by the clock of Postgres, in the statement itself,
//! so that replicas whose clocks differ agree about it. Only where a test moves the time
//! ([`Clock::manual_now`]) the statement takes that time instead.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::clock::Clock;

/// One claim: its token, and how long it holds.
#[derive(Clone, Debug)]
pub struct Lease {
    token: Uuid,
    length: Duration,
    clock: Clock,
}

impl Lease {
    /// A lease that no row has yet. It holds for `length` from the claim, and from each renewal.
    pub fn new(clock: &Clock, length: Duration) -> Self {
        Self {
            token: Uuid::new_v4(),
            length,
            clock: clock.clone(),
        }
    }

    /// What the rows of this claim have in `holder`.
    pub fn token(&self) -> Uuid {
        self.token
    }

    /// How long it holds without a renewal.
    pub fn length(&self) -> Duration {
        self.length
    }

    /// The length in seconds, for the statement.
    pub(super) fn seconds(&self) -> f64 {
        self.length.as_secs_f64()
    }

    /// The present for the statement, where it is not Postgres' own.
    pub(super) fn manual_now(&self) -> Option<DateTime<Utc>> {
        self.clock.manual_now()
    }
}

/// SQL: the present. `statement_timestamp` and not `now`, which is the start of the transaction.
macro_rules! present {
    ($lease:expr) => {
        diesel::dsl::sql::<diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>>("coalesce(")
            .bind::<diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>, _>(
                $lease.manual_now(),
            )
            .sql(", statement_timestamp())")
    };
}

/// SQL: the end of a lease that is taken, or renewed, in this statement.
macro_rules! end_of {
    ($lease:expr) => {
        diesel::dsl::sql::<diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>>("coalesce(")
            .bind::<diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>, _>(
                $lease.manual_now(),
            )
            .sql(", statement_timestamp()) + make_interval(secs => ")
            .bind::<diesel::sql_types::Double, _>($lease.seconds())
            .sql(")")
    };
}

/// SQL: whether no living lease holds a row of `$table`.
macro_rules! is_free {
    ($table:ident, $lease:expr) => {
        $table::leased_until
            .is_null()
            .or($table::leased_until.le($crate::store::lease::present!($lease)))
    };
}

/// The statement that keeps a lease, for the rows of `$table` whose `$key` is among some keys.
macro_rules! impl_renew_leases {
    ($table:ident, $key:ident, $Key:ty) => {
        $crate::store::lease::impl_renew_leases!($table, $key, $Key => $Key);
    };
    ($table:ident, $key:ident, $Key:ty => $Owned:ty) => {
        /// Renews `lease` on those of `rows` that it still holds, and says which they are. The
        /// others are free, or held by another claim by now.
        pub async fn renew_leases(
            connection: &mut $crate::store::Connection,
            rows: &[$Key],
            lease: &$crate::store::lease::Lease,
        ) -> $crate::store::Result<Vec<$Owned>> {
            let held = $table::table
                .filter($table::$key.eq_any(rows))
                .filter($table::holder.eq(lease.token()));
            diesel::update(held)
                .set($table::leased_until.eq($crate::store::lease::end_of!(lease)))
                .returning($table::$key)
                .get_results(connection)
                .await
        }
    };
}

pub(in crate::store) use {end_of, impl_renew_leases, is_free, present};
