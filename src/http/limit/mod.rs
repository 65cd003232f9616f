//! How often callers may call: a bucket of tokens for each, in this process.
//!
//! Buckets are bounded in number. One that was not used for as long as it takes to fill says
//! nothing and is forgotten; past the bound, those that are used least go first, so that a flood
//! of addresses that come once each pushes out its own. A forgotten caller starts with a full
//! bucket. Replicas do not share buckets: a caller of two may call twice as often.

mod bucket;
pub mod headers;

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

pub use bucket::Taken;

use super::client_address::ClientAddress;
use crate::clock::Clock;
use crate::config::{Rate, Rates, mask_address};
use crate::telemetry::metrics::Metrics;
use bucket::Bucket;

/// Buckets of one kind at most: some ten megabytes.
const MOST: u64 = 100_000;
/// The part of an IPv6 address that one customer gets: the rest is theirs to choose from.
const NETWORK_BITS: u32 = 64;

/// The limits that are in force. Cheap to clone; the clones share their buckets.
#[derive(Clone)]
pub struct Limits {
    /// By client address.
    pub addresses: Option<Limit<IpAddr>>,
    /// By principal.
    pub principals: Option<Limit<String>>,
    clock: Clock,
    metrics: Arc<Metrics>,
}

impl Limits {
    /// Those of the settings.
    pub fn new(rates: &Rates, clock: Clock, metrics: Arc<Metrics>) -> Self {
        Self {
            addresses: rates.per_address.map(|rate| Limit::new("address", rate)),
            principals: rates.per_key.map(|rate| Limit::new("key", rate)),
            clock,
            metrics,
        }
    }

    /// Takes a token of this caller, and counts the refusal where there is none.
    pub fn take<K: Caller>(&self, limit: &Limit<K>, caller: K) -> Taken {
        let taken = limit.take(caller, self.clock.now());
        if !taken.granted {
            self.metrics.http.limited(limit.name);
        }
        taken
    }
}

/// What tells one caller from another.
pub trait Caller: Hash + Eq + Send + Sync + 'static {}
impl Caller for IpAddr {}
impl Caller for String {}

/// One limit, with a bucket for each caller.
#[derive(Clone)]
pub struct Limit<K> {
    /// Its name, in headers and metrics.
    pub name: &'static str,
    /// How its buckets fill.
    pub rate: Rate,
    buckets: Cache<K, Arc<Bucket>>,
}

impl<K: Caller> Limit<K> {
    fn new(name: &'static str, rate: Rate) -> Self {
        let buckets = Cache::builder()
            .max_capacity(MOST)
            .eviction_policy(EvictionPolicy::tiny_lfu())
            .time_to_idle(rate.window().max(Duration::from_secs(1)))
            .build();
        Self {
            name,
            rate,
            buckets,
        }
    }

    fn take(&self, caller: K, now: DateTime<Utc>) -> Taken {
        let micros = u64::try_from(now.timestamp_micros()).unwrap_or(0);
        let bucket = self.buckets.get_with(caller, Arc::default);
        bucket.take(self.rate, micros.saturating_mul(1_000))
    }
}

/// Whose bucket an address takes from.
pub fn network(client: ClientAddress) -> IpAddr {
    match client.0 {
        IpAddr::V4(_) => client.0,
        IpAddr::V6(_) => mask_address(client.0, NETWORK_BITS),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_flood_of_addresses_is_bounded_and_its_own_loss() {
        let limit = Limit::new("address", Rate::parse("0.001:3").expect("a rate"));
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let regular: IpAddr = Ipv4Addr::new(192, 0, 2, 1).into();
        let mut granted = 0;
        for number in 0..3 * u32::try_from(MOST).expect("a number") {
            limit.take(Ipv4Addr::from_bits(number).into(), now);
            if number % 1_000 == 0 {
                granted += u32::from(limit.take(regular, now).granted);
            }
        }
        limit.buckets.run_pending_tasks();
        assert!(limit.buckets.entry_count() <= MOST);
        // Who keeps on calling is not forgotten.
        assert_eq!(granted, 3);
    }

    #[test]
    fn an_ipv6_network_shares_a_bucket() {
        let of = |text: &str| network(ClientAddress(text.parse().expect(text)));
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:2:ffff::4"));
        assert_ne!(of("2001:db8:1:2::3"), of("2001:db8:1:3::3"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
