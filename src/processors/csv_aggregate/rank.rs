//! The order of the texts of a dictionary.

use super::dictionary::{Dictionary, index};

/// The order of the texts: a rank is the number of texts that are less.
pub(super) struct Ranks {
    /// The rank of a number. The first is of the number 0, which no text has.
    rank_of: Vec<u32>,
    /// The number at a rank.
    id_of: Vec<u32>,
}

impl Ranks {
    /// Sorts the texts byte by byte.
    ///
    /// Eight bytes after the prefix that all texts share are compared as one integer: few texts
    /// must then be looked up in the arena.
    pub(super) fn new(dictionary: &Dictionary) -> Self {
        let shared = shared_prefix(dictionary);
        let ids = 1..=u32::try_from(dictionary.len()).unwrap_or(u32::MAX);
        let mut entries = Vec::with_capacity(dictionary.len());
        entries.extend(ids.map(|id| (word_after(dictionary.text(id), shared), id)));
        entries.sort_unstable_by(|(left_word, left), (right_word, right)| {
            let words = left_word.cmp(right_word);
            words.then_with(|| dictionary.text(*left).cmp(dictionary.text(*right)))
        });
        let mut rank_of = vec![0; entries.len() + 1];
        let mut id_of = Vec::with_capacity(entries.len());
        for (rank, (_, id)) in (0..).zip(entries) {
            if let Some(slot) = rank_of.get_mut(index(id)) {
                *slot = rank;
            }
            id_of.push(id);
        }
        Self { rank_of, id_of }
    }

    /// The rank of a number.
    #[inline]
    pub(super) fn rank(&self, id: u32) -> u32 {
        self.rank_of.get(index(id)).copied().unwrap_or(0)
    }

    /// The number at a rank.
    #[inline]
    pub(super) fn id(&self, rank: u32) -> u32 {
        self.id_of.get(index(rank)).copied().unwrap_or(0)
    }
}

/// The length of the prefix that all texts share.
fn shared_prefix(dictionary: &Dictionary) -> usize {
    let first = dictionary.text(1);
    let mut shared = first.len();
    for id in 2..=u32::try_from(dictionary.len()).unwrap_or(u32::MAX) {
        let text = dictionary.text(id).iter();
        let same = text.zip(first).take_while(|(left, right)| left == right);
        shared = shared.min(same.count());
    }
    shared
}

/// The eight bytes at `start` as an integer that is ordered like them. Missing ones are 0.
fn word_after(text: &[u8], start: usize) -> u64 {
    let rest = text.get(start..).unwrap_or(&[]);
    let mut word = [0; 8];
    for (byte, value) in word.iter_mut().zip(rest) {
        *byte = *value;
    }
    u64::from_be_bytes(word)
}

#[cfg(test)]
mod tests;
