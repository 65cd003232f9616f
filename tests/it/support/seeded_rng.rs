//! Chance that can be had again: the same seed, the same rolls.

/// Splitmix64. Source: <https://prng.di.unimi.it/splitmix64.c>
#[derive(Clone, Debug)]
pub struct SeededRng(pub u64);

impl SeededRng {
    /// From 0 to `bound - 1`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// True in so many of a hundred rolls.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Dice of one's own: their rolls do not depend on who else rolls when.
    pub fn fork(&mut self) -> SeededRng {
        SeededRng(self.below(u64::MAX))
    }

    /// Lets others go first, now and then.
    pub async fn yield_times(count: u64) {
        for _ in 0..count {
            tokio::task::yield_now().await;
        }
    }
}
