//! The groups in memory: one open-addressing hash table of packed keys and cells, in one array.
//!
//! A group is found with one access to memory in most cases, because its cells lie beside its key.
//! A table of one dictionary needs no hashing: the number is the index. The table doubles while the
//! budget holds both the old and the new array; when it does not, the caller spills the table and
//! starts the next one at its final size, so that no group is copied.

use std::hash::{BuildHasher as _, RandomState};

use super::budget::Budget;
use super::key::{self, Packed};
use super::layout::{self, Layout};
use super::rank::Ranks;

const MIN_SLOTS: usize = 128;

pub(super) struct Table {
    words: Vec<u64>,
    layout: Layout,
    /// The number of groups.
    groups: usize,
    /// The number of groups at which the table grows or is full.
    max_groups: usize,
    /// Random numbers: which keys collide cannot be known from outside.
    seed: Packed,
    /// Whether the number of the only dictionary is the index.
    direct: bool,
    /// Bytes taken from the budget.
    taken: usize,
}

impl Table {
    pub(super) fn new(layout: Layout, direct: bool) -> Self {
        let random = RandomState::new();
        let seed = [random.hash_one(1), random.hash_one(2)];
        Self {
            words: Vec::new(),
            layout,
            groups: 0,
            max_groups: 0,
            seed,
            direct,
            taken: 0,
        }
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups == 0
    }

    /// The layout, and the words of a group.
    #[inline]
    pub(super) fn layout_and_group(&mut self, at: usize) -> (&Layout, &mut [u64]) {
        let group = self.words.get_mut(at..at + self.layout.stride);
        (&self.layout, group.unwrap_or(&mut []))
    }

    /// Loads the groups of the keys into the caches.
    #[inline]
    pub(super) fn touch(&self, keys: &[Packed]) {
        let words = keys.iter().map(|key| {
            let at = self.slot(*key).saturating_mul(self.layout.stride);
            layout::get(&self.words, at)
        });
        // All loads are independent of each other, and none may be optimised away.
        std::hint::black_box(words.fold(0, |all, word| all ^ word));
    }

    /// Makes room for new groups. `known` is the greatest number of the only dictionary, if the
    /// table has one. Returns false if the budget does not allow it.
    #[inline]
    pub(super) fn make_room(&mut self, groups: usize, known: usize, budget: &mut Budget) -> bool {
        let used = if self.direct { known } else { self.groups };
        used + groups <= self.max_groups || self.grow(used + groups, budget)
    }

    /// The first word of the group. A new group is added. `None` if the table is full.
    #[inline]
    pub(super) fn locate(&mut self, key: Packed, budget: &mut Budget) -> Option<usize> {
        let [first, second] = key;
        let stride = self.layout.stride;
        let mut at = self.slot(key) * stride;
        loop {
            match self.words.get(at).copied() {
                Some(0) if self.groups < self.max_groups => {
                    self.add(key, at);
                    return Some(at);
                }
                Some(word) if word == first => {
                    if self.layout.key_words == 1 || self.words.get(at + 1) == Some(&second) {
                        return Some(at);
                    }
                    at += stride;
                }
                Some(word) if word != 0 => at += stride,
                // Past the last slot, the search goes on at the first one.
                None if self.groups < self.max_groups && !self.direct => at = 0,
                _ if !self.grow(self.slot(key) + 1, budget) => return None,
                _ => at = self.slot(key) * stride,
            }
        }
    }

    /// The slot at which the search for a key starts.
    #[inline]
    fn slot(&self, [first, second]: Packed) -> usize {
        if self.direct {
            return key::take(&[first], 0)
                .try_into()
                .unwrap_or(usize::MAX / 1024)
                - 1;
        }
        let [seed, other] = self.seed;
        let mut hash = fold(first ^ seed, other);
        if self.layout.key_words == 2 {
            hash = fold(hash ^ second, other);
        }
        // The upper half of the product spreads the hash over any number of slots.
        let slots = u64::try_from(self.words.len() / self.layout.stride).unwrap_or(0);
        usize::try_from(hash.carrying_mul(slots, 0).1).unwrap_or(0)
    }

    fn add(&mut self, key: Packed, at: usize) {
        let key_words = self.layout.key_words;
        self.groups += 1;
        if let Some(group) = self.words.get_mut(at..at + self.layout.stride) {
            for (word, value) in group.iter_mut().zip(key).take(key_words) {
                *word = value;
            }
            self.layout.start(group);
        }
    }

    /// Doubles the table, if the budget holds it beside the old one. A table of one dictionary grows
    /// in place, to at least `least` slots.
    #[cold]
    fn grow(&mut self, least: usize, budget: &mut Budget) -> bool {
        let (stride, old) = (self.layout.stride, self.taken);
        let slots = self.words.len() / stride;
        if self.direct {
            let slots = (slots + slots / 4).max(least + MIN_SLOTS);
            let bytes = slots * stride * 8;
            if !budget.take(bytes.saturating_sub(old)) {
                return false;
            }
            (self.taken, self.max_groups) = (bytes, slots);
            self.words.reserve_exact(slots * stride - self.words.len());
            self.words.resize(slots * stride, 0);
            return true;
        }
        let slots = (slots * 2).max(MIN_SLOTS);
        let bytes = slots * stride * 8;
        if !budget.take(bytes) {
            return false;
        }
        let words = std::mem::replace(&mut self.words, vec![0; slots * stride]);
        (self.taken, self.max_groups) = (bytes, slots / 4 * 3);
        for group in words
            .chunks_exact(stride)
            .filter(|group| layout::get(group, 0) != 0)
        {
            let mut at = self.slot([layout::get(group, 0), layout::get(group, 1)]) * stride;
            while layout::get(&self.words, at) != 0 {
                at += stride;
                if at >= self.words.len() {
                    at = 0;
                }
            }
            self.layout_and_group(at).1.copy_from_slice(group);
        }
        drop(words);
        budget.give(old);
        true
    }

    /// Forgets all groups, and takes up to `bytes` at once for the next ones in the given layout.
    pub(super) fn restart(&mut self, layout: Layout, bytes: usize, budget: &mut Budget) {
        budget.give(self.taken);
        let slots = bytes.min(budget.free()) / 8 / layout.stride;
        let words = slots * layout.stride;
        (self.layout, self.groups, self.max_groups) = (layout, 0, slots / 4 * 3);
        if self.words.len() == words {
            self.words.fill(0);
        } else {
            // The old array is freed first: both together are over the budget.
            self.words = Vec::new();
            self.words = vec![0; words];
        }
        self.taken = words * 8;
        budget.take(self.taken);
    }

    /// Sorts the groups by rank. The keys are then ranks, and the only valid next calls are
    /// [`sorted`](Self::sorted) and [`restart`](Self::restart).
    pub(super) fn sort(&mut self, ranks: &[Ranks]) {
        let (stride, key_words) = (self.layout.stride, self.layout.key_words);
        let mut end = 0;
        for at in (0..self.words.len()).step_by(stride) {
            if layout::get(&self.words, at) == 0 {
                continue;
            }
            self.words.copy_within(at..at + stride, end);
            if let Some(words) = self.words.get_mut(end..end + key_words) {
                key::to_ranks(words, ranks);
            }
            end += stride;
        }
        let groups = self.words.get_mut(..end).unwrap_or(&mut []);
        super::sort::sort_groups(groups, stride, key_words);
    }

    /// The groups after [`sort`](Self::sort).
    pub(super) fn sorted(&self) -> impl Iterator<Item = &[u64]> {
        self.words
            .chunks_exact(self.layout.stride)
            .take(self.groups)
    }

    /// All groups in memory, to change their cells.
    pub(super) fn groups(&mut self) -> impl Iterator<Item = &mut [u64]> {
        let groups = self.words.chunks_exact_mut(self.layout.stride);
        groups.filter(|group| layout::get(group, 0) != 0)
    }
}

/// Multiplies and adds the halves of the product, so that every bit changes every other.
#[inline]
fn fold(value: u64, seed: u64) -> u64 {
    let (low, high) = value.carrying_mul(seed | 1, 0);
    low ^ high
}

#[cfg(test)]
mod tests;
