//! Leases on rows: which process currently works on a row of any table.
//!
//! A table with leases has two columns: `holder`, the token of the lease, and `leased_until`. Taking
//! a lease writes a new, unique token and is committed before any request is sent to S3 or SNS.
//! While the holder works, it renews the lease after a fraction of its length. If the holder
//! crashes, the row is free when the lease has expired; if it stops, it releases the row.
//!
//! The token is also a fencing token. A process that was paused, or cut off from Postgres, for
//! longer than its lease may have lost the row to another process: every later write has the token
//! in its `WHERE` clause, and changes nothing if the row has another token by then. A lease that has
//! expired and was not taken by another process is still valid, because the row still has its token.
//!
//! The expiry of a lease is computed and compared with the clock of Postgres, in the statement
//! itself, so that replicas whose clocks differ agree about it. Only if a test sets the time
//! ([`Clock::manual_now`]), the statement uses that time instead.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::clock::Clock;

/// A lease: its token and its length.
#[derive(Clone, Debug)]
pub struct Lease {
    token: Uuid,
    length: Duration,
    clock: Clock,
}

impl Lease {
    /// Creates a lease that no row has yet. It lasts for `length` after it is taken, and after each
    /// renewal.
    pub fn new(clock: &Clock, length: Duration) -> Self {
        Self {
            token: Uuid::new_v4(),
            length,
            clock: clock.clone(),
        }
    }

    /// The lease that another program holds, which has named its token. It lasts for `length` after
    /// it is renewed.
    pub fn held(clock: &Clock, token: Uuid, length: Duration) -> Self {
        Self {
            token,
            length,
            clock: clock.clone(),
        }
    }

    /// The value of `holder` in the rows of this lease.
    pub fn token(&self) -> Uuid {
        self.token
    }

    /// How long the lease lasts without a renewal.
    pub fn length(&self) -> Duration {
        self.length
    }

    /// The clock that the lease is compared with.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The length in seconds, for a statement.
    pub(super) fn seconds(&self) -> f64 {
        self.length.as_secs_f64()
    }

    /// The current time for a statement, if it is not that of Postgres.
    pub(super) fn manual_now(&self) -> Option<DateTime<Utc>> {
        self.clock.manual_now()
    }
}

/// SQL: the current time. This is `statement_timestamp` and not `now`, which is the start of the
/// transaction.
macro_rules! current_time {
    ($lease:expr) => {
        diesel::dsl::sql::<diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>>("coalesce(")
            .bind::<diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>, _>(
                $lease.manual_now(),
            )
            .sql(", statement_timestamp())")
    };
}

/// SQL: the expiry of a lease that is taken or renewed in this statement.
macro_rules! lease_expiry {
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

/// SQL: whether a row of `$table` has no lease, or an expired one.
macro_rules! is_free {
    ($table:ident, $lease:expr) => {
        $table::leased_until
            .is_null()
            .or($table::leased_until.le($crate::store::lease::current_time!($lease)))
    };
}

/// Defines the function `renew_leases` for the rows of `$table`, which are selected by `$key`.
macro_rules! impl_renew_leases {
    ($table:ident, $key:ident, $Key:ty) => {
        $crate::store::lease::impl_renew_leases!($table, $key, $Key => $Key);
    };
    ($table:ident, $key:ident, $Key:ty => $Owned:ty) => {
        /// Renews `lease` on those of `rows` that still have it, and returns them. The others are
        /// free, or have another lease by now.
        pub async fn renew_leases(
            connection: &mut $crate::store::Connection,
            rows: &[$Key],
            lease: &$crate::store::lease::Lease,
        ) -> $crate::store::Result<Vec<$Owned>> {
            let leased = $table::table
                .filter($table::$key.eq_any(rows))
                .filter($table::holder.eq(lease.token()));
            diesel::update(leased)
                .set($table::leased_until.eq($crate::store::lease::lease_expiry!(lease)))
                .returning($table::$key)
                .get_results(connection)
                .await
        }
    };
}

pub(in crate::store) use {current_time, impl_renew_leases, is_free, lease_expiry};
