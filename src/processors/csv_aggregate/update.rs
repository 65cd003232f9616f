//! Adding a value to a cell of a table.

use super::cells;
use super::layout::{self, Kind, Layout, NONE, WIDE_NONE};
use super::table::Table;

/// A number at the scale of its column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aligned {
    /// No value: the cell of the row is blank.
    Empty,
    /// A value that is not compared or added up as a number.
    Text,
    Narrow(i64),
    Wide(i128),
    /// A number that needs more than 128 bits at the scale of its column.
    TooLarge,
}

/// A number does not fit into its cell.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow;

/// Adds a value to a cell of a count or of a number.
#[inline]
pub(super) fn update(
    group: &mut [u64],
    (kind, at): (Kind, usize),
    wide: bool,
    value: Aligned,
) -> Result<(), Overflow> {
    match (kind, value) {
        (_, Aligned::Empty) => Ok(()),
        (_, Aligned::TooLarge) => Err(Overflow),
        (Kind::Count, _) => {
            layout::set(group, at, layout::get(group, at) + 1);
            Ok(())
        }
        (_, Aligned::Narrow(value)) if !wide => {
            let cell = layout::get(group, at).cast_signed();
            let cell = match kind {
                Kind::Sum => cell.checked_add(value).ok_or(Overflow)?,
                Kind::Min if cell != NONE => cell.min(value),
                Kind::Max if cell != NONE => cell.max(value),
                _ => value,
            };
            layout::set(group, at, cell.cast_unsigned());
            Ok(())
        }
        (_, Aligned::Narrow(value)) => update_wide(group, (kind, at), i128::from(value)),
        (_, Aligned::Wide(value)) => update_wide(group, (kind, at), value),
        (_, Aligned::Text) => Ok(()),
    }
}

fn update_wide(group: &mut [u64], (kind, at): (Kind, usize), value: i128) -> Result<(), Overflow> {
    let cell = layout::get_wide(group, at);
    let cell = match kind {
        Kind::Sum => cells::add(cell, value).ok_or(Overflow)?,
        Kind::Min if cell != WIDE_NONE => cell.min(value),
        Kind::Max if cell != WIDE_NONE => cell.max(value),
        _ => value,
    };
    layout::set_wide(group, at, cell);
    Ok(())
}

/// Multiplies the cells of all groups by a power of ten. Changes nothing and returns false if one
/// does not fit then.
pub(super) fn rescale(table: &mut Table, cell: usize, power: u8) -> bool {
    let layout: Layout = table.layout().clone();
    let Some((kind, at)) = layout.cells.get(cell).copied() else {
        return false;
    };
    let rescaled = |group: &[u64]| {
        if !layout.wide {
            let value = layout::get(group, at).cast_signed();
            if kind != Kind::Sum && value == NONE {
                return Some(i128::from(value));
            }
            let raised = super::number::raise(i128::from(value), power)?;
            return i64::try_from(raised)
                .ok()
                .filter(|value| *value != NONE)
                .map(i128::from);
        }
        match layout::get_wide(group, at) {
            WIDE_NONE => Some(WIDE_NONE),
            value => super::number::raise(value, power).filter(|value| *value != WIDE_NONE),
        }
    };
    if !table.groups().all(|group| rescaled(group).is_some()) {
        return false;
    }
    for group in table.groups() {
        match rescaled(group) {
            Some(value) if layout.wide => layout::set_wide(group, at, value),
            Some(value) => {
                let value = i64::try_from(value).unwrap_or(NONE);
                layout::set(group, at, value.cast_unsigned());
            }
            None => {}
        }
    }
    true
}
