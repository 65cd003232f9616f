//! Races: an acknowledge against a cancel, a delete and the janitor, and uploads against each
//! other at one path. Whoever wins, there is one outcome, the history tells it, and the object
//! is there or gone accordingly.

mod one_path;
mod outcomes;

/// Splitmix64: the same order of events for the same seed, as far as the machine allows.
/// Source: <https://prng.di.unimi.it/splitmix64.c>
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// Lets others go first, now and then.
    async fn stagger(turns: u64) {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }
}
