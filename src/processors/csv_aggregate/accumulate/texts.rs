//! Adding a row with a least or a greatest text.
//!
//! The text is in the buffer of the row, so the row cannot wait in a batch.

use super::super::dictionary::Interned;
use super::super::failure::Failure;
use super::super::key::Packed;
use super::super::layout::{self, Kind};
use super::super::row::Row;
use super::super::update::{self, Aligned, Overflow};
use super::{Accumulator, Bad, Refused};

/// What stopped a row.
enum Stop {
    /// No memory is left.
    Full,
    /// The cell at this index overflows.
    Overflow(usize),
}

impl Accumulator {
    /// Adds a row that is parsed and aligned.
    pub(super) fn add_with_texts(
        &mut self,
        row: &Row<'_>,
        group_columns: &[usize],
        input_columns: &[usize],
    ) -> Result<Result<(), Bad>, Failure> {
        let mut from = 0;
        loop {
            let key = match self.key(row, group_columns) {
                Ok(key) => key,
                Err(Refused::Bad(bad)) => return Ok(Err(bad)),
                Err(Refused::Full) => {
                    self.groups.relieve()?;
                    continue;
                }
            };
            match self.update_with_texts(key, row, input_columns, &mut from) {
                Ok(()) => return Ok(Ok(())),
                Err(Stop::Full) => self.groups.relieve()?,
                Err(Stop::Overflow(index)) => self.groups.widen_for(key, index)?,
            }
        }
    }

    /// Updates the cells from `from` on. It is then the cell at which the update stopped.
    fn update_with_texts(
        &mut self,
        key: Packed,
        row: &Row<'_>,
        input_columns: &[usize],
        from: &mut usize,
    ) -> Result<(), Stop> {
        let groups = &mut self.groups;
        let at = groups.table.locate(key, &mut groups.budget);
        let (layout, group) = groups.table.layout_and_group(at.ok_or(Stop::Full)?);
        let mut texts = groups.texts.iter_mut();
        for (index, ((kind, input), place)) in self.cells.iter().zip(&layout.cells).enumerate() {
            let text = if kind.is_text() { texts.next() } else { None };
            if index < *from {
                continue;
            }
            *from = index;
            let value = match input {
                Some(input) => self
                    .inputs
                    .get(*input)
                    .map_or(Aligned::Empty, |input| input.value),
                None => Aligned::Text,
            };
            let Some(text) = text else {
                update::update(group, *place, layout.wide, value)
                    .map_err(|Overflow| Stop::Overflow(index))?;
                continue;
            };
            if !matches!(value, Aligned::Text) {
                continue;
            }
            let column = input.and_then(|input| input_columns.get(input));
            let field = column.map_or(&[][..], |column| row.field(*column));
            let id = u32::try_from(layout::get(group, place.1)).unwrap_or(0);
            let replaces = match kind {
                _ if id == 0 => true,
                Kind::MinText => field < text.text(id),
                _ => field > text.text(id),
            };
            if replaces {
                // The text was found to be UTF-8 when the row was parsed.
                let Interned::Id(id) = text.intern(field, &mut groups.budget) else {
                    return Err(Stop::Full);
                };
                layout::set(group, place.1, u64::from(id));
            }
        }
        Ok(())
    }
}
