//! Chance that can be had again: the same seed, the same rolls.

/// Splitmix64. Source: <https://prng.di.unimi.it/splitmix64.c>
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// From 0 to `sides - 1`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// True in so many of a hundred rolls.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.roll(100) < chance
    }

    /// Dice of one's own: their rolls do not depend on who else rolls when.
    pub fn fork(&mut self) -> Dice {
        Dice(self.roll(u64::MAX))
    }

    /// Lets others go first, now and then.
    pub async fn stagger(turns: u64) {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }
}
