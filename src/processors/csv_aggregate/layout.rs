//! How a group lies in memory: its packed key and its cells, as 64-bit words.
//!
//! A group of two columns and one sum has 16 bytes. A narrow cell has one word. If a number does
//! not fit into 64 bits, the table is spilled and a wide layout with two words a number follows.

use super::dictionary::Dictionary;

/// What an aggregate keeps in its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Count,
    Sum,
    Min,
    Max,
    MinText,
    MaxText,
}

impl Kind {
    /// The name of the function.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min | Self::MinText => "min",
            Self::Max | Self::MaxText => "max",
        }
    }

    /// Whether the cell is a number at the scale of its column.
    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Sum | Self::Min | Self::Max)
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::MinText | Self::MaxText)
    }
}

/// A cell outside of the table: when groups are merged and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Count(u64),
    /// The mantissa at the scale of the run; `None` if no value was seen.
    Number(Option<i128>),
    /// `None` if no value was seen.
    Text(Option<Vec<u8>>),
}

/// The words of a group in a table.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// 1 for up to two dictionaries, else 2.
    pub(super) key_words: usize,
    /// Whether numbers have two words.
    pub(super) wide: bool,
    /// The kind of each cell, and its first word.
    pub(super) cells: Vec<(Kind, usize)>,
    /// The words of a group.
    pub(super) stride: usize,
}

/// A narrow minimum or maximum of no value. A value that is equal to it needs a wide layout.
pub(super) const NONE: i64 = i64::MIN;
/// The same in a wide layout. No number of 38 digits is equal to it.
pub(super) const WIDE_NONE: i128 = i128::MIN;

impl Layout {
    pub(super) fn new(dictionaries: usize, kinds: &[Kind], wide: bool) -> Self {
        let key_words = if dictionaries <= 2 { 1 } else { 2 };
        let mut stride = key_words;
        let mut cells = Vec::with_capacity(kinds.len());
        for kind in kinds {
            cells.push((*kind, stride));
            stride += if wide && kind.is_number() { 2 } else { 1 };
        }
        let stride = super::sort::sortable_stride(stride);
        Self {
            key_words,
            wide,
            cells,
            stride,
        }
    }

    /// Writes the cells of a group without rows. `group` is zeroed.
    pub(super) fn start(&self, group: &mut [u64]) {
        for (kind, at) in &self.cells {
            if matches!(kind, Kind::Min | Kind::Max) {
                if self.wide {
                    set_wide(group, *at, WIDE_NONE);
                } else {
                    set(group, *at, NONE.cast_unsigned());
                }
            }
        }
    }

    /// Reads the cells of a group. `texts` has a dictionary for each cell of text.
    pub(super) fn read(&self, group: &[u64], texts: &[Dictionary], cells: &mut [Cell]) {
        let mut texts = texts.iter();
        for (cell, (kind, at)) in cells.iter_mut().zip(&self.cells) {
            let word = get(group, *at);
            *cell = match kind {
                Kind::Count => Cell::Count(word),
                Kind::MinText | Kind::MaxText => {
                    let id = u32::try_from(word).unwrap_or(0);
                    let text = texts.next().filter(|_| id > 0);
                    Cell::Text(text.map(|text| text.text(id).to_vec()))
                }
                _ if self.wide => {
                    Cell::Number(Some(get_wide(group, *at)).filter(|value| *value != WIDE_NONE))
                }
                Kind::Sum => Cell::Number(Some(i128::from(word.cast_signed()))),
                Kind::Min | Kind::Max => {
                    let value = word.cast_signed();
                    Cell::Number((value != NONE).then(|| i128::from(value)))
                }
            };
        }
    }
}

/// A word of a group. Every index comes from the layout that the group was allocated with.
#[inline]
pub(super) fn get(group: &[u64], at: usize) -> u64 {
    group.get(at).copied().unwrap_or(0)
}

#[inline]
pub(super) fn set(group: &mut [u64], at: usize, value: u64) {
    if let Some(word) = group.get_mut(at) {
        *word = value;
    }
}

pub(super) fn get_wide(group: &[u64], at: usize) -> i128 {
    let (low, high) = (get(group, at), get(group, at + 1));
    (u128::from(high) << 64 | u128::from(low)).cast_signed()
}

pub(super) fn set_wide(group: &mut [u64], at: usize, value: i128) {
    let value = value.cast_unsigned();
    let low = u64::try_from(value & u128::from(u64::MAX)).unwrap_or(0);
    set(group, at, low);
    set(group, at + 1, u64::try_from(value >> 64).unwrap_or(0));
}
