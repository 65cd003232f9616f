//! The two forms of the key of a group: packed numbers in a table, and bytes in a run.
//!
//! The packed form has 32 bits a dictionary, the first one in the uppermost bits of the first word,
//! so that packed ranks are ordered like the tuples of texts. It is never 0: numbers start at 1.
//! The bytes are all texts one after the other, each closed by two NULs; a NUL in a text is followed
//! by a 1. Comparing these bytes compares the tuples too, and they are UTF-8 if the texts are.

use super::dictionary::Dictionary;
use super::rank::Ranks;

/// The most dictionaries of a key. The last one holds all further columns together, as key bytes.
pub(super) const MAX_DICTIONARIES: usize = 4;

const END: &[u8] = &[0, 0];
const NUL: &[u8] = &[0, 1];

/// A packed key. The second word is 0 if there are at most two dictionaries.
pub(super) type Packed = [u64; 2];

/// Puts the number of the dictionary at `index` into the key.
#[inline]
pub(super) fn put(key: &mut Packed, index: usize, number: u32) {
    let shift = if index.is_multiple_of(2) { 32 } else { 0 };
    if let Some(word) = key.get_mut(index / 2) {
        *word |= u64::from(number) << shift;
    }
}

/// The number of the dictionary at `index`.
#[inline]
pub(super) fn take(words: &[u64], index: usize) -> u32 {
    let shift = if index.is_multiple_of(2) { 32 } else { 0 };
    let word = words.get(index / 2).copied().unwrap_or(0);
    u32::try_from(word >> shift & u64::from(u32::MAX)).unwrap_or(0)
}

/// Replaces the numbers of a packed key by their ranks.
#[inline]
pub(super) fn to_ranks(words: &mut [u64], ranks: &[Ranks]) {
    convert(words, ranks, Ranks::rank);
}

/// Replaces the ranks of a packed key by their numbers.
#[inline]
pub(super) fn to_numbers(words: &mut [u64], ranks: &[Ranks]) {
    convert(words, ranks, Ranks::id);
}

#[inline]
fn convert(words: &mut [u64], ranks: &[Ranks], of: impl Fn(&Ranks, u32) -> u32) {
    let mut key = [0; 2];
    for (index, column) in ranks.iter().enumerate() {
        put(&mut key, index, of(column, take(words, index)));
    }
    for (word, value) in words.iter_mut().zip(key) {
        *word = value;
    }
}

/// Appends a text to key bytes.
pub(super) fn push_text(bytes: &mut Vec<u8>, text: &[u8]) {
    for (index, part) in text.split(|byte| *byte == 0).enumerate() {
        if index > 0 {
            bytes.extend_from_slice(NUL);
        }
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(END);
}

/// Replaces `bytes` by the key bytes of packed numbers. `columns` is the number of group columns.
pub(super) fn to_bytes(
    words: &[u64],
    dictionaries: &[Dictionary],
    columns: usize,
    bytes: &mut Vec<u8>,
) {
    bytes.clear();
    for (index, dictionary) in dictionaries.iter().enumerate() {
        let text = dictionary.text(take(words, index));
        if is_joined(index, columns) {
            bytes.extend_from_slice(text);
        } else {
            push_text(bytes, text);
        }
    }
}

/// Whether the dictionary at `index` holds several columns, as key bytes.
#[inline]
pub(super) fn is_joined(index: usize, columns: usize) -> bool {
    index + 1 == MAX_DICTIONARIES && columns > MAX_DICTIONARIES
}

/// Splits the first text off the key bytes. `text` is replaced by it.
pub(super) fn split_text<'a>(mut bytes: &'a [u8], text: &mut Vec<u8>) -> &'a [u8] {
    text.clear();
    loop {
        let at = bytes.iter().position(|byte| *byte == 0);
        let (part, rest) = bytes.split_at(at.unwrap_or(bytes.len()));
        text.extend_from_slice(part);
        match rest {
            [0, 1, rest @ ..] => {
                text.push(0);
                bytes = rest;
            }
            [0, 0, rest @ ..] => return rest,
            _ => return &[],
        }
    }
}

/// The texts of key bytes in quotes, for an operator.
pub(super) fn show(mut bytes: &[u8]) -> String {
    let (mut shown, mut text) = (Vec::new(), Vec::new());
    while !bytes.is_empty() {
        bytes = split_text(bytes, &mut text);
        shown.push(format!("\"{}\"", super::report::excerpt(&text)));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests;
