//! Rate limits: one token bucket for each caller, in the memory of this process.
//!
//! The number of buckets is limited. A bucket that was not used for as long as it takes to fill is
//! full, and is dropped. Over the limit, the least used buckets are dropped first, so that a flood
//! of addresses with one request each evicts its own buckets. A caller whose bucket was dropped
//! starts with a full one. Replicas do not share buckets: a caller may use the limit of each
//! replica.

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

/// The largest number of buckets of one limit. They need some ten megabytes.
const MAX_BUCKETS: u64 = 100_000;
/// The length of the IPv6 prefix that identifies one customer, who can choose the remaining bits
/// freely.
const NETWORK_BITS: u32 = 64;

/// The configured limits. Cheap to clone; the clones share their buckets.
#[derive(Clone)]
pub struct Limits {
    /// The limit by client address.
    pub addresses: Option<Limit<IpAddr>>,
    /// The limit by principal.
    pub principals: Option<Limit<String>>,
    clock: Clock,
    metrics: Arc<Metrics>,
}

impl Limits {
    /// The limits of the settings.
    pub fn new(rates: &Rates, clock: Clock, metrics: Arc<Metrics>) -> Self {
        Self {
            addresses: rates.per_address.map(|rate| Limit::new("address", rate)),
            principals: rates.per_key.map(|rate| Limit::new("key", rate)),
            clock,
            metrics,
        }
    }

    /// Takes a token of a caller. If none is available, the rejection is counted in the metrics.
    pub fn take<K: CallerKey>(&self, limit: &Limit<K>, caller: K) -> Taken {
        let taken = limit.take(caller, self.clock.now());
        if !taken.granted {
            self.metrics.http.limited(limit.name);
        }
        taken
    }
}

/// A type that identifies callers.
pub trait CallerKey: Hash + Eq + Send + Sync + 'static {}
impl CallerKey for IpAddr {}
impl CallerKey for String {}

/// One limit, with a bucket for each caller.
#[derive(Clone)]
pub struct Limit<K> {
    /// The name of the limit in headers and metrics.
    pub name: &'static str,
    /// The rate at which its buckets fill.
    pub rate: Rate,
    buckets: Cache<K, Arc<Bucket>>,
}

impl<K: CallerKey> Limit<K> {
    fn new(name: &'static str, rate: Rate) -> Self {
        let buckets = Cache::builder()
            .max_capacity(MAX_BUCKETS)
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

/// The key of the bucket of an address: the address itself, or the network of an IPv6 address.
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
    fn flood_of_addresses_evicts_only_its_own_buckets() {
        let limit = Limit::new("address", Rate::parse("0.001:3").expect("a rate"));
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let regular: IpAddr = Ipv4Addr::new(192, 0, 2, 1).into();
        let mut granted = 0;
        for number in 0..3 * u32::try_from(MAX_BUCKETS).expect("a number") {
            limit.take(Ipv4Addr::from_bits(number).into(), now);
            if number % 1_000 == 0 {
                granted += u32::from(limit.take(regular, now).granted);
            }
        }
        limit.buckets.run_pending_tasks();
        assert!(limit.buckets.entry_count() <= MAX_BUCKETS);
        // The bucket of the regular caller was not evicted.
        assert_eq!(granted, 3);
    }

    #[test]
    fn addresses_of_one_ipv6_network_share_a_bucket() {
        let of = |text: &str| network(ClientAddress(text.parse().expect(text)));
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:2:ffff::4"));
        assert_ne!(of("2001:db8:1:2::3"), of("2001:db8:1:3::3"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
