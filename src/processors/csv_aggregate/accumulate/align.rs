//! Bringing the numbers of a row to the scales of their columns, and which columns are read at all.

use super::super::checked::Checked;
use super::super::failure::Failure;
use super::super::layout::{Kind, NONE};
use super::super::number::{self, Number};
use super::super::options::Column;
use super::super::update::{self, Aligned};
use super::Accumulator;

impl Accumulator {
    /// Brings the numbers of a row to the scales of their columns.
    #[inline]
    pub(super) fn align(&mut self) -> Result<(), Failure> {
        for index in 0..self.inputs.len() {
            let (Some(input), Some(number)) = (self.inputs.get_mut(index), self.numbers.get(index))
            else {
                continue;
            };
            if !input.number {
                continue;
            }
            let (value, scale) = match *number {
                Number::Narrow(value, scale) if scale == input.scale && value != NONE => {
                    input.value = Aligned::Narrow(value);
                    continue;
                }
                Number::Empty => {
                    input.value = Aligned::Empty;
                    continue;
                }
                Number::Narrow(value, scale) => (i128::from(value), scale),
                Number::Wide(value, scale) => (value, scale),
            };
            self.align_one(index, value, scale)?;
        }
        Ok(())
    }

    fn align_one(&mut self, index: usize, value: i128, scale: u8) -> Result<(), Failure> {
        let old = self.inputs.get(index).map_or(0, |input| input.scale);
        let (value, scale) = if scale > old {
            number::shorten(value, scale)
        } else {
            (value, scale)
        };
        if scale > old {
            self.raise(index, scale)?;
        }
        let value = number::raise(value, old.max(scale) - scale);
        let value = match (value, value.map(i64::try_from)) {
            (_, Some(Ok(narrow))) if narrow != NONE => Aligned::Narrow(narrow),
            (Some(value), _) => Aligned::Wide(value),
            (None, _) => Aligned::TooLarge,
        };
        if let Some(input) = self.inputs.get_mut(index) {
            input.value = value;
        }
        if matches!(value, Aligned::Wide(_)) && !self.groups.table.layout().wide {
            self.groups.widen()?;
        }
        Ok(())
    }

    /// Raises the scale of an input, and of all cells that are computed from it.
    #[cold]
    fn raise(&mut self, index: usize, scale: u8) -> Result<(), Failure> {
        // The waiting rows are at the old scale.
        self.apply()?;
        let old = self.inputs.get(index).map_or(0, |input| input.scale);
        for (cell, (kind, input)) in self.cells.iter().enumerate() {
            if !kind.is_number() || *input != Some(index) {
                continue;
            }
            // What does not fit at the new scale is spilled at the old one.
            if !update::rescale(&mut self.groups.table, cell, scale - old) {
                self.groups.widen()?;
            }
            if let Some(cell_scale) = self.groups.scales.get_mut(cell) {
                *cell_scale = scale;
            }
        }
        if let Some(input) = self.inputs.get_mut(index) {
            input.scale = scale;
        }
        Ok(())
    }
}

/// A column that aggregates read, and whether it holds numbers.
type Known<'a> = (&'a Column, bool);

/// The columns that aggregates read, each once, and the index of the one that each aggregate reads.
/// A column of numbers is parsed once, however many aggregates read it.
pub(super) fn plan(checked: &Checked) -> (Vec<Known<'_>>, Vec<(Kind, Option<usize>)>) {
    let mut known: Vec<Known<'_>> = Vec::new();
    let aggregates = checked.aggregates.iter();
    let cells = aggregates.map(|aggregate| {
        let input = aggregate.column.as_ref().map(|column| {
            let input = (column, aggregate.kind.is_number());
            let found = known.iter().position(|other| *other == input);
            found.unwrap_or_else(|| {
                known.push(input);
                known.len() - 1
            })
        });
        (aggregate.kind, input)
    });
    let cells = cells.collect();
    (known, cells)
}
