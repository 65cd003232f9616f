//! Abilities: finds out which features of S3 the store of a bucket supports, and remembers them.
//!
//! AWS is not probed, nor is a feature that the settings name. For any other store, one replica
//! probes the features with a few objects of its own, which it then removes; the other replicas,
//! and later starts, read the result from Postgres. No start waits for the probe: until a feature
//! is known, the broker assumes that the store does not support it.

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::abilities::{Abilities, Ability, Support};
use crate::objects::Bucket;
use crate::objects::probe::{AbilityProbe, ProbeArtifacts, ProbeError};
use crate::store::abilities::{self, StoredAbilities};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// How long the result of a probe is trusted. It is limited because stores are upgraded.
const TRUSTED_FOR: TimeDelta = TimeDelta::hours(23);
/// The timeout of a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(25);
/// The timeout for the removal of the probe's objects during a shutdown.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// The length of a replica's lease: longer than its probe and the removal of its objects.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// The outcome of a discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// Every ability is known.
    Complete,
    /// The answers of the store left something unknown. It is probed again later.
    Incomplete,
    /// Another replica holds the lease and probes the store.
    LeasedElsewhere,
    /// The process was stopped.
    Stopped,
}

/// Loads the abilities of the bucket's store from Postgres. Returns whether they are complete and
/// were probed recently.
async fn load(broker: &Broker, bucket: &Bucket) -> Result<bool> {
    let name = bucket.objects.bucket();
    let mut connection = broker.connection().await?;
    let found = abilities::find(&mut connection, &bucket.endpoint, name).await?;
    let Some(found) = found else { return Ok(false) };
    let known = bucket.objects.abilities();
    known.merge(found.abilities);
    let since = broker.clock.now() - TRUSTED_FOR;
    let fresh = known.current().is_complete() && found.tried_at.is_some_and(|at| at > since);
    if fresh {
        known.mark_probed();
    }
    Ok(fresh)
}

/// Loads the abilities of every bucket's store from Postgres, and probes nothing: for commands that
/// end soon.
///
/// # Errors
/// Postgres is unavailable.
pub async fn load_all(broker: &Broker) -> Result<()> {
    for name in broker.all_buckets().await? {
        let bucket = broker.bucket(&name).await?;
        load(broker, &bucket).await?;
        bucket.objects.abilities().mark_probed();
    }
    Ok(())
}

/// Finds out the abilities of the bucket's store, from Postgres or by a probe.
///
/// # Errors
/// Postgres is unavailable.
pub async fn discover(broker: &Broker, name: &str, stop: &CancellationToken) -> Result<Discovery> {
    let bucket = broker.bucket(name).await?;
    let before = bucket.objects.abilities().current();
    let discovery = discover_bucket(broker, &bucket, stop).await;
    let now = bucket.objects.abilities().current();
    if now != before {
        log::info!("the store of bucket {name}: {now}");
    }
    observe(broker);
    discovery
}

/// Sets the metrics to the known abilities of all buckets' stores.
pub fn observe(broker: &Broker) {
    let all = broker.stores.buckets.known();
    let known: Vec<_> = (all.iter())
        .map(|bucket| bucket.objects.abilities().current())
        .collect();
    for ability in Ability::ALL {
        for support in Support::ALL {
            let buckets = known.iter().filter(|all| all.support(ability) == support);
            let (ability, support) = (ability.as_str(), support.as_str());
            (broker.metrics.stores).observe(ability, support, buckets.count());
        }
    }
}

async fn discover_bucket(
    broker: &Broker,
    bucket: &Bucket,
    stop: &CancellationToken,
) -> Result<Discovery> {
    let known = bucket.objects.abilities();
    if !known.needs_probe() || load(broker, bucket).await? {
        return Ok(Discovery::Complete);
    }
    let (endpoint, name) = (&*bucket.endpoint, bucket.objects.bucket());
    let (holder, now) = (Uuid::new_v4(), broker.clock.now());
    let mut connection = broker.connection().await?;
    let lease = now + LEASE;
    if !abilities::lease_probe(&mut connection, endpoint, name, holder, now, lease).await? {
        return Ok(Discovery::LeasedElsewhere);
    }
    drop(connection);
    let found = probe(bucket, stop).await;
    let stored = StoredAbilities {
        abilities: found.unwrap_or_default().or(known.current()),
        tried_at: found.map(|_| broker.clock.now()),
    };
    known.merge(stored.abilities);
    known.mark_probed();
    let mut connection = broker.connection().await?;
    abilities::save(&mut connection, endpoint, name, holder, stored).await?;
    Ok(match found {
        None => Discovery::Stopped,
        Some(_) if known.current().is_complete() => Discovery::Complete,
        Some(_) => Discovery::Incomplete,
    })
}

/// Probes the store, and removes the objects of the probe. Returns `None` if it was stopped.
async fn probe(bucket: &Bucket, stop: &CancellationToken) -> Option<Abilities> {
    let (objects, name) = (&bucket.objects, bucket.objects.bucket());
    let artifacts = ProbeArtifacts::new(stop.clone());
    let result =
        tokio::time::timeout(PROBE_TIMEOUT, AbilityProbe::new(objects, &artifacts).run()).await;
    let timeout = if stop.is_cancelled() {
        STOP_TIMEOUT
    } else {
        PROBE_TIMEOUT
    };
    let removed = tokio::time::timeout(timeout, artifacts.remove(objects)).await;
    match removed {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            log::warn!("cannot remove the objects of the probe of bucket {name}: {error}")
        }
        Err(_) => log::warn!("cannot remove the objects of the probe of bucket {name}: timeout"),
    }
    match result {
        Ok(Ok(found)) => Some(found.abilities),
        Ok(Err(ProbeError::Stopped)) => None,
        Ok(Err(error)) => {
            log::warn!("cannot probe the store of bucket {name}: {error}");
            Some(Abilities::default())
        }
        Err(_) => {
            log::warn!("cannot probe the store of bucket {name}: timeout");
            Some(Abilities::default())
        }
    }
}
