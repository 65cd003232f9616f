//! A pseudo-random number generator. The same seed yields the same numbers.

/// Splitmix64. Source: <https://prng.di.unimi.it/splitmix64.c>
#[derive(Clone, Debug)]
pub struct SeededRng(pub u64);

impl SeededRng {
    /// Returns a number from 0 to `bound - 1`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// Returns `true` with a probability of `percent` percent.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Returns an independent generator, whose numbers do not depend on the order of calls elsewhere.
    pub fn fork(&mut self) -> SeededRng {
        SeededRng(self.below(u64::MAX))
    }

    /// Yields to other tasks `count` times.
    pub async fn yield_times(count: u64) {
        for _ in 0..count {
            tokio::task::yield_now().await;
        }
    }
}
