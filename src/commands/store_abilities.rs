//! The abilities of the store: as configured, and for the doctor.

use std::sync::Arc;

use super::cloud::Cloud;
use crate::config::{Settings, StoreSwitches, Switch};
use crate::domain::abilities::{Abilities, Ability, Support};
use crate::objects::{KnownAbilities, ObjectStore, client};
use crate::telemetry::metrics::Metrics;

/// The configured abilities of the store in the terms of the domain.
pub(super) fn configured(switches: StoreSwitches) -> Abilities {
    let pairs = [
        (Ability::PutIfNoneMatch, switches.put_if_none_match),
        (Ability::PutIfMatch, switches.put_if_match),
        (
            Ability::CompleteIfNoneMatch,
            switches.complete_if_none_match,
        ),
        (Ability::DeleteIfMatch, switches.delete_if_match),
        (Ability::Checksums, switches.checksums),
        (Ability::HeadChecksums, switches.head_checksums),
    ];
    let pairs = pairs.map(|(ability, switch)| match switch {
        Switch::Auto => (ability, Support::Unknown),
        Switch::On => (ability, Support::Yes),
        Switch::Off => (ability, Support::No),
        Switch::Unquoted => (ability, Support::Unquoted),
    });
    (pairs.into_iter()).fold(Abilities::default(), |all, (ability, support)| {
        all.with(ability, support)
    })
}

/// The store for the checks of the doctor.
pub(super) fn store_for_doctor(
    settings: &Settings,
    cloud: &Cloud,
    metrics: &Arc<Metrics>,
) -> ObjectStore {
    let client = client::build(&cloud.s3, settings.s3.path_style, None);
    ObjectStore::new(
        client,
        &settings.s3.bucket,
        // The doctor sends every conditional header, to see how the store itself reacts.
        KnownAbilities::new(
            Abilities::all(Support::Yes).with(Ability::HeadChecksums, Support::Unknown),
        ),
        Arc::clone(metrics),
    )
}
