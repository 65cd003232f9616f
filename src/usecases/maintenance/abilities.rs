//! Abilities: what the store of a bucket does of what S3 does, found out and remembered.
//!
//! AWS needs no try-out, nor does what the settings say. Of other stores, one replica tries out
//! what they do with a few objects of its own, which it removes; all others, and later starts, take
//! it from Postgres. No start waits for that: until it is known, the broker is as careful as
//! with a store that does nothing of it.

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

/// For how long it is believed what was found out: stores are upgraded.
const TRUSTED_FOR: TimeDelta = TimeDelta::hours(23);
/// How long a try-out may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(25);
/// How long the removal of its objects may take at a stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the claim of a replica holds: longer than its try-out and the removal of its objects.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// What came of learning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// Everything is known.
    Complete,
    /// The store's answers left something open: it is tried again later.
    Incomplete,
    /// Another replica is at it.
    LeasedElsewhere,
    /// It was stopped.
    Stopped,
}

/// Takes over what Postgres remembers of the bucket's store. Says whether that is all, and was found
/// out not long ago.
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

/// Takes over what Postgres remembers of every bucket's store, and tries nothing out: for commands
/// that end soon.
///
/// # Errors
/// Postgres does not answer.
pub async fn load_all(broker: &Broker) -> Result<()> {
    for name in broker.all_buckets().await? {
        let bucket = broker.bucket(&name).await?;
        load(broker, &bucket).await?;
        bucket.objects.abilities().mark_probed();
    }
    Ok(())
}

/// Finds out what the bucket's store does, from Postgres or by trying it out.
///
/// # Errors
/// Postgres does not answer.
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

/// Shows in the metrics what is known of all buckets' stores.
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

/// Tries the store out, and removes what that wrote; `None` where it was stopped.
async fn probe(bucket: &Bucket, stop: &CancellationToken) -> Option<Abilities> {
    let (objects, name) = (&bucket.objects, bucket.objects.bucket());
    let artifacts = ProbeArtifacts::new(stop.clone());
    let tried =
        tokio::time::timeout(PROBE_TIMEOUT, AbilityProbe::new(objects, &artifacts).run()).await;
    let timeout = if stop.is_cancelled() {
        STOP_TIMEOUT
    } else {
        PROBE_TIMEOUT
    };
    let removed = tokio::time::timeout(timeout, artifacts.remove(objects)).await;
    match removed {
        Ok(Ok(())) => {}
        Ok(Err(error)) => log::warn!("a try-out of bucket {name} leaves objects behind: {error}"),
        Err(_) => log::warn!("a try-out of bucket {name} leaves objects behind: no answer"),
    }
    match tried {
        Ok(Ok(found)) => Some(found.abilities),
        Ok(Err(ProbeError::Stopped)) => None,
        Ok(Err(error)) => {
            log::warn!("bucket {name} cannot be tried out: {error}");
            Some(Abilities::default())
        }
        Err(_) => {
            log::warn!("bucket {name} cannot be tried out: no answer");
            Some(Abilities::default())
        }
    }
}
