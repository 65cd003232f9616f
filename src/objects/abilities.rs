//! The known abilities of the store of a bucket, shared by all users of the bucket.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::domain::abilities::{Abilities, Ability, Support};

/// How long a caller waits for the first probe of the store: longer than a probe takes, and shorter
/// than the timeout of a request.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// The known abilities of the store of a bucket. Reading them takes no lock, because every request
/// reads them.
#[derive(Debug)]
pub struct KnownAbilities {
    /// The abilities that follow from the settings or from the vendor of the store. A probe does
    /// not change them.
    configured: Abilities,
    current: ArcSwap<Abilities>,
    /// The abilities that the store has refused, which override the configured ones.
    refused: ArcSwap<Abilities>,
    /// Whether the first probe has ended, with or without a result.
    probed: watch::Sender<bool>,
}

impl KnownAbilities {
    /// Starts with only the `configured` abilities known.
    pub fn new(configured: Abilities) -> Self {
        Self {
            configured,
            current: ArcSwap::from_pointee(configured),
            refused: ArcSwap::default(),
            probed: watch::Sender::new(configured.is_complete()),
        }
    }

    /// Returns what is known now.
    pub fn current(&self) -> Abilities {
        self.refused.load().or(**self.current.load())
    }

    /// Returns whether the store supports `ability`. If that is unknown, waits a limited time for
    /// the first probe; it may still be unknown after that.
    pub async fn support(&self, ability: Ability) -> Support {
        self.support_within(ability, PROBE_TIMEOUT).await
    }

    async fn support_within(&self, ability: Ability, timeout: Duration) -> Support {
        let support = self.current().support(ability);
        if support != Support::Unknown {
            return support;
        }
        let mut probed = self.probed.subscribe();
        let ended = probed.wait_for(|probed| *probed);
        // After the timeout, or if the sender is gone, what is known is returned.
        let _ = tokio::time::timeout(timeout, ended).await;
        self.current().support(ability)
    }

    /// Whether there are abilities that only a probe can find out.
    pub fn needs_probe(&self) -> bool {
        !self.configured.is_complete()
    }

    /// Merges the result of a probe. Abilities that it could not find out are not changed.
    pub fn merge(&self, found: Abilities) {
        (self.current).rcu(|current| Arc::new(self.configured.or(found).or(**current)));
    }

    /// Records what an answer of the store has shown. Returns whether that changes what is known.
    pub fn record(&self, ability: Ability, support: Support) -> bool {
        if self.configured.support(ability) != Support::Unknown {
            return false;
        }
        let before = (self.current).rcu(|current| Arc::new(current.with(ability, support)));
        before.support(ability) != support
    }

    /// Records that the store has refused `ability`, which overrides the settings. Returns whether
    /// that changes what is known.
    pub fn record_refusal(&self, ability: Ability) -> bool {
        let was_known = self.current().support(ability) == Support::No;
        let before = (self.refused).rcu(|refused| Arc::new(refused.with(ability, Support::No)));
        !was_known && before.support(ability) != Support::No
    }

    /// Wakes the callers that wait for a probe, because one has ended or none will run.
    pub fn mark_probed(&self) {
        self.probed.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn support_waits_for_the_first_probe() {
        let known = KnownAbilities::new(Abilities::default());
        let probe = async {
            tokio::task::yield_now().await;
            known.merge(Abilities::all(Support::Yes));
            known.mark_probed();
        };
        let (asked, ()) = tokio::join!(known.support(Ability::Checksums), probe);
        assert_eq!(asked, Support::Yes);
    }

    #[tokio::test]
    async fn support_is_unknown_after_timeout_and_after_probe_without_result() {
        let known = KnownAbilities::new(Abilities::default());
        let at_once = known.support_within(Ability::PutIfMatch, Duration::ZERO);
        assert_eq!(at_once.await, Support::Unknown);
        known.mark_probed();
        let after_probe = known.support_within(Ability::PutIfMatch, Duration::MAX);
        assert_eq!(after_probe.await, Support::Unknown);
    }

    #[test]
    fn configured_abilities_change_only_by_refusal_and_changes_are_reported_once() {
        let configured = Abilities::default().with(Ability::DeleteIfMatch, Support::Yes);
        let known = KnownAbilities::new(configured);
        known.merge(Abilities::all(Support::No));
        assert_eq!(
            known.current().support(Ability::DeleteIfMatch),
            Support::Yes
        );
        assert_eq!(known.current().support(Ability::Checksums), Support::No);
        assert!(!known.record(Ability::DeleteIfMatch, Support::No));
        assert!(known.record_refusal(Ability::DeleteIfMatch));
        assert!(!known.record_refusal(Ability::DeleteIfMatch));
        known.merge(Abilities::all(Support::Yes));
        assert_eq!(known.current().support(Ability::DeleteIfMatch), Support::No);
        let known = KnownAbilities::new(Abilities::default());
        assert!(known.record(Ability::HeadChecksums, Support::No));
        assert!(!known.record(Ability::HeadChecksums, Support::No));
        known.merge(Abilities::default());
        assert_eq!(known.current().support(Ability::HeadChecksums), Support::No);
    }
}
