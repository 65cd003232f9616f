//! The result of one round of the relay.

/// The counts of one round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Events that were leased.
    pub leased: usize,
    /// Leased events that SNS accepted.
    pub published: usize,
    /// Leased events that were marked as undeliverable.
    pub undeliverable: usize,
    /// The failure that ended the round early, if there was one.
    pub failure: Option<String>,
}

impl Round {
    /// Returns the number of events that need no further attempt.
    pub fn finished(&self) -> usize {
        self.published + self.undeliverable
    }
}

/// Why a round did not finish. The relay retries it.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// No connection to Postgres was available.
    #[error("no connection to Postgres")]
    Pool(#[from] crate::store::pool::PoolError),
    /// A query failed.
    #[error("a query failed")]
    Query(#[from] crate::store::Error),
}
