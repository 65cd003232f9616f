//! Adds the rows of a batch to their groups.

use super::super::failure::Failure;
use super::super::key::Packed;
use super::super::update::{self, Aligned, Overflow};
use super::Accumulator;

/// What stopped a row.
enum Stop {
    /// The table is full.
    Full,
    /// The cell at this index overflows.
    Overflow(usize),
}

impl Accumulator {
    /// Adds the waiting rows to their groups. The dictionaries stay.
    pub(in super::super) fn apply(&mut self) -> Result<(), Failure> {
        let mut batch = std::mem::take(&mut self.batch);
        self.groups.table.touch(&batch.keys);
        for (key, values) in batch
            .keys
            .iter()
            .zip(batch.values.chunks_exact(batch.width))
        {
            let mut from = 0;
            while let Err(stop) = self.update(*key, values, &mut from) {
                match stop {
                    Stop::Full => self.groups.spill()?,
                    Stop::Overflow(index) => self.groups.widen_for(*key, index)?,
                }
            }
        }
        batch.keys.clear();
        batch.values.clear();
        self.batch = batch;
        Ok(())
    }

    /// Updates the cells from `from` on. It is then the cell at which the update stopped.
    #[inline]
    fn update(&mut self, key: Packed, values: &[Aligned], from: &mut usize) -> Result<(), Stop> {
        let groups = &mut self.groups;
        let at = groups.table.locate(key, &mut groups.budget);
        let (layout, group) = groups.table.layout_and_group(at.ok_or(Stop::Full)?);
        let cells = self.cells.iter().zip(&layout.cells).enumerate();
        for (index, ((_, input), place)) in cells.skip(*from) {
            let value = match input {
                Some(input) => values.get(*input).copied().unwrap_or(Aligned::Empty),
                None => Aligned::Text,
            };
            if let Err(Overflow) = update::update(group, *place, layout.wide, value) {
                *from = index;
                return Err(Stop::Overflow(index));
            }
        }
        Ok(())
    }
}
