//! Sorting groups in place, in the array of a table.

/// Sorts groups of `stride` words by their first one or two words.
///
/// A group is moved as a whole, so its size must be known when this is compiled: a layout rounds
/// its words up to one of these sizes.
macro_rules! strides {
    ($($stride:literal)*) => {
        const STRIDES: &[usize] = &[$($stride),*];

        pub(super) fn sort_groups(words: &mut [u64], stride: usize, key_words: usize) {
            match stride {
                $($stride => sort::<$stride>(words, key_words),)*
                _ => {}
            }
        }
    };
}

strides!(2 3 4 5 6 8 10 12 16 20 24 32 48 72);

/// The least stride that can be sorted and has at least these words.
pub(super) fn sortable_stride(words: usize) -> usize {
    let fitting = STRIDES.iter().find(|stride| **stride >= words);
    fitting.copied().unwrap_or(words)
}

fn sort<const STRIDE: usize>(words: &mut [u64], key_words: usize) {
    let (groups, _) = words.as_chunks_mut::<STRIDE>();
    if key_words == 1 {
        groups.sort_unstable_by_key(|group| group.first().copied().unwrap_or(0));
    } else {
        groups.sort_unstable_by_key(|group| {
            let (first, second) = (group.first().copied(), group.get(1).copied());
            (first.unwrap_or(0), second.unwrap_or(0))
        });
    }
}
