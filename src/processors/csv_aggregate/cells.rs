//! Cells outside of a table: combining, rescaling and writing them.

use super::failure::Failure;
use super::layout::{Cell, Kind, WIDE_NONE};
use super::number::raise;
use super::spill::{RunReader, push_varint};

/// The cells of a group without rows, for [`combine`] and for reading into.
pub(super) fn empty(kinds: &[Kind]) -> Vec<Cell> {
    let kinds = kinds.iter();
    kinds
        .map(|kind| match kind {
            Kind::Count => Cell::Count(0),
            Kind::Sum | Kind::Min | Kind::Max => Cell::Number(None),
            Kind::MinText | Kind::MaxText => Cell::Text(None),
        })
        .collect()
}

/// Adds the rows of `from` to `into`. Fails with the index of the cell that overflows.
pub(super) fn combine(kinds: &[Kind], into: &mut [Cell], from: &mut [Cell]) -> Result<(), usize> {
    for (index, ((kind, into), from)) in kinds.iter().zip(into).zip(from).enumerate() {
        match (into, from) {
            (Cell::Count(into), Cell::Count(from)) => *into += *from,
            (Cell::Number(into), Cell::Number(Some(from))) => {
                *into = Some(match *into {
                    None => *from,
                    Some(value) if *kind == Kind::Sum => add(value, *from).ok_or(index)?,
                    Some(value) if *kind == Kind::Min => value.min(*from),
                    Some(value) => value.max(*from),
                });
            }
            (Cell::Text(into), Cell::Text(from)) => {
                let replaces = match (&into, &from) {
                    (Some(into), Some(from)) if *kind == Kind::MinText => from < into,
                    (Some(into), Some(from)) => from > into,
                    (None, _) => true,
                    (Some(_), None) => false,
                };
                if replaces {
                    std::mem::swap(into, from);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Adds two numbers of a wide layout.
pub(super) fn add(left: i128, right: i128) -> Option<i128> {
    left.checked_add(right).filter(|sum| *sum != WIDE_NONE)
}

/// Brings numbers to a greater scale. Fails with the index of the cell that overflows.
pub(super) fn rescale(cells: &mut [Cell], powers: &[u8]) -> Result<(), usize> {
    for (index, (cell, power)) in cells.iter_mut().zip(powers).enumerate() {
        if let Cell::Number(Some(value)) = cell {
            *value = raise(*value, *power).ok_or(index)?;
        }
    }
    Ok(())
}

/// Appends cells to a record of a run.
pub(super) fn push(cells: &[Cell], out: &mut Vec<u8>) {
    for cell in cells {
        match cell {
            Cell::Count(count) => push_varint(u128::from(*count), out),
            Cell::Number(None) | Cell::Text(None) => out.push(0),
            Cell::Number(Some(value)) => {
                // The sign is the lowest bit of the magnitude, which never needs all 128 bits.
                let sign = u128::from(*value < 0);
                out.push(1);
                push_varint(value.unsigned_abs() << 1 | sign, out);
            }
            Cell::Text(Some(text)) => {
                out.push(1);
                push_varint(u128::try_from(text.len()).unwrap_or(0), out);
                out.extend_from_slice(text);
            }
        }
    }
}

/// Reads the cells that [`push`] wrote.
pub(super) fn read(run: &mut RunReader, cells: &mut [Cell]) -> Result<(), Failure> {
    for cell in cells {
        if let Cell::Count(count) = cell {
            *count = u64::try_from(run.read_varint()?).unwrap_or(u64::MAX);
            continue;
        }
        let mut some = [0];
        run.read(&mut some)?;
        let some = some == [1];
        match cell {
            Cell::Count(_) => {}
            Cell::Number(value) => {
                *value = if some {
                    Some(signed(run.read_varint()?))
                } else {
                    None
                };
            }
            Cell::Text(text) if some => {
                let text = text.get_or_insert_default();
                text.resize(usize::try_from(run.read_varint()?).unwrap_or(0), 0);
                run.read(text)?;
            }
            Cell::Text(text) => *text = None,
        }
    }
    Ok(())
}

fn signed(value: u128) -> i128 {
    let magnitude = (value >> 1).cast_signed();
    if value & 1 == 1 {
        -magnitude
    } else {
        magnitude
    }
}
