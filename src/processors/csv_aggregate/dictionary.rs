//! The distinct values of a column, numbered from 1 in the order in which they come.
//!
//! All texts lie one after the other in one arena. The hash table has 8 bytes a slot: 32 bits of the
//! hash, so that a text is compared only if it is almost certainly equal, and the number. The hash
//! is seeded at random, so that no input can be made whose values all collide.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::RandomState;

use super::budget::Budget;

/// What a value costs beside its text and its slots: its end in the arena, and what
/// [`Ranks`](super::rank::Ranks) take while they are computed.
const ENTRY_BYTES: usize = 4 + RANK_BYTES;
/// The bytes a value that the computation of ranks takes at its peak: an entry to sort, and two
/// results.
const RANK_BYTES: usize = 16 + 8;

/// The least slots, and how they are indexed.
const MIN_SLOTS: usize = 64;
const MIN_ARENA: usize = 1 << 10;

/// The number of a value, or why it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interned {
    /// The number, from 1.
    Id(u32),
    /// The budget does not allow one more value.
    Full,
    /// The text is not UTF-8, and no value was equal to it so far.
    NotUtf8,
}

pub(super) struct Dictionary {
    seed: RandomState,
    /// A power of two of slots: the upper half is of the hash, the lower is the number or 0.
    slots: Vec<u64>,
    /// The end of each text in the arena. The first is of the number 0, which no text has.
    ends: Vec<u32>,
    arena: Vec<u8>,
    /// Bytes taken from the budget.
    taken: usize,
    /// The number that was found last: sorted inputs repeat it.
    last: u32,
}

impl Dictionary {
    pub(super) fn new() -> Self {
        let (slots, arena) = (Vec::new(), Vec::new());
        Self {
            seed: RandomState::default(),
            slots,
            ends: vec![0],
            arena,
            taken: 0,
            last: 0,
        }
    }

    /// The number of values.
    pub(super) fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// The bytes that it has taken from the budget.
    pub(super) fn bytes(&self) -> usize {
        self.taken
    }

    /// The text of a number that this dictionary returned.
    #[inline]
    pub(super) fn text(&self, id: u32) -> &[u8] {
        let end_at = index(id);
        let start = self
            .ends
            .get(end_at.wrapping_sub(1))
            .map_or(0, |end| index(*end));
        let end = self.ends.get(end_at).map_or(0, |end| index(*end));
        self.arena.get(start..end).unwrap_or(&[])
    }

    /// The number of the text. A new text is added to the dictionary.
    #[inline]
    pub(super) fn intern(&mut self, text: &[u8], budget: &mut Budget) -> Interned {
        if self.last > 0 && self.text(self.last) == text {
            return Interned::Id(self.last);
        }
        let mut hasher = self.seed.build_hasher();
        hasher.write(text);
        let hash = hasher.finish();
        match self.find(text, hash) {
            Some(id) => {
                self.last = id;
                Interned::Id(id)
            }
            None => self.add(text, hash, budget),
        }
    }

    #[inline]
    fn find(&self, text: &[u8], hash: u64) -> Option<u32> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = low(hash) & mask;
        loop {
            let slot = *self.slots.get(at)?;
            if slot == 0 {
                return None;
            }
            if (slot ^ hash) >> 32 == 0 {
                let id = number(slot);
                if self.text(id) == text {
                    return Some(id);
                }
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    #[inline(never)]
    fn add(&mut self, text: &[u8], hash: u64, budget: &mut Budget) -> Interned {
        if std::str::from_utf8(text).is_err() {
            return Interned::NotUtf8;
        }
        let (Ok(id), Ok(end)) = (
            u32::try_from(self.ends.len()),
            u32::try_from(self.arena.len() + text.len()),
        ) else {
            return Interned::Full;
        };
        if !self.make_room(text.len(), budget) {
            return Interned::Full;
        }
        self.arena.extend_from_slice(text);
        self.ends.push(end);
        place(&mut self.slots, hash, id);
        self.last = id;
        Interned::Id(id)
    }

    /// Grows what is full. All of it was asked for before anything is changed.
    fn make_room(&mut self, text: usize, budget: &mut Budget) -> bool {
        let spare = self.arena.capacity() - self.arena.len();
        if spare < text {
            let more = (self.arena.capacity() / 4).max(MIN_ARENA).max(text);
            if !self.take(more - spare, budget) {
                return false;
            }
            self.arena.reserve_exact(more);
        }
        if self.ends.len() == self.ends.capacity() {
            let more = (self.ends.capacity() / 4).max(MIN_SLOTS / 2);
            if !self.take(more * ENTRY_BYTES, budget) {
                return false;
            }
            self.ends.reserve_exact(more);
        }
        self.slots.len() * 3 > self.ends.len() * 4 || self.double(budget)
    }

    /// Doubles the slots. The old ones are there until the new ones are filled.
    fn double(&mut self, budget: &mut Budget) -> bool {
        let old = self.slots.len() * 8;
        let new = (self.slots.len() * 2).max(MIN_SLOTS);
        if !self.take(new * 8, budget) {
            return false;
        }
        let mut slots = vec![0; new];
        for id in 1..=self.len() {
            let id = u32::try_from(id).unwrap_or(0);
            let mut hasher = self.seed.build_hasher();
            hasher.write(self.text(id));
            place(&mut slots, hasher.finish(), id);
        }
        self.slots = slots;
        self.taken -= old;
        budget.give(old);
        true
    }

    fn take(&mut self, bytes: usize, budget: &mut Budget) -> bool {
        let fits = budget.take(bytes);
        if fits {
            self.taken += bytes;
        }
        fits
    }

    /// Forgets all values and returns their memory.
    pub(super) fn reset(&mut self, budget: &mut Budget) {
        budget.give(self.taken);
        *self = Self::new();
    }
}

/// Writes the number into the first free slot of its hash.
fn place(slots: &mut [u64], hash: u64, id: u32) {
    let mask = slots.len().wrapping_sub(1);
    let mut at = low(hash) & mask;
    while let Some(slot) = slots.get_mut(at) {
        if *slot == 0 {
            *slot = hash >> 32 << 32 | u64::from(id);
            return;
        }
        at = (at + 1) & mask;
    }
}

/// The lower half of a slot.
#[inline]
fn number(slot: u64) -> u32 {
    u32::try_from(slot & u64::from(u32::MAX)).unwrap_or(0)
}

/// The lower half of a hash as an index.
#[inline]
fn low(hash: u64) -> usize {
    index(number(hash))
}

/// A 32-bit number as an index. No target of this crate has smaller ones.
#[inline]
pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
