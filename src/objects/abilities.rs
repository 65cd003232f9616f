//! What is known of a bucket's store, shared by all that speak to it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::domain::abilities::{Abilities, Ability, Support};

/// How long a caller waits for the first try-out of the store: longer than one takes, shorter than
/// a request may.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of a bucket's store. Reading it is free of locks: every request does.
#[derive(Debug)]
pub struct KnownAbilities {
    /// What the settings say, or the store's maker; no try-out changes that.
    given: Abilities,
    now: ArcSwap<Abilities>,
    /// What the store has refused, whatever is given.
    refused: ArcSwap<Abilities>,
    /// Whether the first try-out has ended, however it ended.
    tried: watch::Sender<bool>,
}

impl KnownAbilities {
    /// Nothing is known but what is `given`.
    pub fn new(given: Abilities) -> Self {
        Self {
            given,
            now: ArcSwap::from_pointee(given),
            refused: ArcSwap::default(),
            tried: watch::Sender::new(given.is_complete()),
        }
    }

    /// What is known.
    pub fn current(&self) -> Abilities {
        self.refused.load().or(**self.now.load())
    }

    /// How far the store has `ability`. Where that is unknown, waits for the first try-out, but
    /// not for long: it may still be unknown then.
    pub async fn support(&self, ability: Ability) -> Support {
        self.within(ability, PATIENCE).await
    }

    async fn within(&self, ability: Ability, patience: Duration) -> Support {
        let now = self.current().support(ability);
        if now != Support::Unknown {
            return now;
        }
        let mut tried = self.tried.subscribe();
        let ended = tried.wait_for(|tried| *tried);
        // Past the time, and without a sender, what is known is all that can be had.
        let _ = tokio::time::timeout(patience, ended).await;
        self.current().support(ability)
    }

    /// Whether there is something that only a try-out can find out.
    pub fn needs_probe(&self) -> bool {
        !self.given.is_complete()
    }

    /// Takes over what a try-out came to; what it could not find out stays as it was.
    pub fn merge(&self, found: Abilities) {
        self.now.rcu(|now| Arc::new(self.given.or(found).or(**now)));
    }

    /// Takes over what an answer of the store has shown. Says whether that is news.
    pub fn record(&self, ability: Ability, support: Support) -> bool {
        if self.given.support(ability) != Support::Unknown {
            return false;
        }
        let before = self.now.rcu(|now| Arc::new(now.with(ability, support)));
        before.support(ability) != support
    }

    /// Remembers that the store has refused `ability`: a fact, whatever the settings say. Returns
    /// whether that is news.
    pub fn record_refusal(&self, ability: Ability) -> bool {
        let was_known = self.current().support(ability) == Support::No;
        let before = (self.refused).rcu(|refused| Arc::new(refused.with(ability, Support::No)));
        !was_known && before.support(ability) != Support::No
    }

    /// No caller waits for a try-out any more: one has ended, or none will.
    pub fn mark_probed(&self) {
        self.tried.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_before_the_first_try_out_waits_for_it() {
        let known = KnownAbilities::new(Abilities::default());
        let try_out = async {
            tokio::task::yield_now().await;
            known.merge(Abilities::all(Support::Yes));
            known.mark_probed();
        };
        let (asked, ()) = tokio::join!(known.support(Ability::Checksums), try_out);
        assert_eq!(asked, Support::Yes);
    }

    #[tokio::test]
    async fn a_caller_waits_neither_for_ever_nor_after_a_try_out_that_found_nothing() {
        let known = KnownAbilities::new(Abilities::default());
        let impatient = known.within(Ability::PutIfMatch, Duration::ZERO).await;
        assert_eq!(impatient, Support::Unknown);
        known.mark_probed();
        let patient = known.within(Ability::PutIfMatch, Duration::MAX).await;
        assert_eq!(patient, Support::Unknown);
    }

    #[test]
    fn what_is_given_stays_and_an_answer_is_news_once() {
        let given = Abilities::default().with(Ability::DeleteIfMatch, Support::Yes);
        let known = KnownAbilities::new(given);
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
